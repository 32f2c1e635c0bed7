import type { SocketEvent } from '../../socket.ts';
import type { Wire } from './dialect.ts';

/**
 * Replaces what an application receives by a part of it. `whole` is an event, whose data is replaced, or
 * data, and the part gets the type of it.
 */
export function cut(whole: unknown, part: unknown): unknown {
  if (typeof whole === 'string') return part;
  if (ArrayBuffer.isView(whole)) {
    // A Buffer, whose class is not known here; text in it is UTF-8.
    return (whole.constructor as unknown as { from(part: Wire): unknown }).from(part as Wire);
  }
  const { type, origin } = whole as SocketEvent & { readonly origin?: string };
  if (type === undefined) return (part as Uint8Array).slice().buffer; // of an ArrayBuffer
  const MessageEvent = (whole as SocketEvent).constructor as new (
    type: string,
    init: object,
  ) => SocketEvent;
  return new MessageEvent(type, { data: part, origin });
}
