import { IS_PAGE } from '../../development.ts';
import type { SocketEvent } from '../../socket.ts';
import type { Wire } from './dialect.ts';

/**
 * Replaces what an application receives by a part of it. `whole` is an event, whose data is replaced, or
 * data, and the part gets the type of it.
 */
export function cut(whole: unknown, part: unknown): unknown {
  if (typeof whole === 'string') return part;
  // A Buffer, whose class is not known here, and which is in no page. Text in it is UTF-8.
  if (!IS_PAGE && ArrayBuffer.isView(whole)) {
    return (whole.constructor as unknown as { from(part: Wire): unknown }).from(part as Wire);
  }
  const { type, data, origin, constructor: MessageEvent } = whole as MessageEventLike;
  if (type === undefined) return (part as Uint8Array).slice().buffer; // of an ArrayBuffer
  return new MessageEvent(type, { data: cut(data, part), origin });
}

interface MessageEventLike extends SocketEvent {
  readonly origin?: string;
  readonly constructor: new (type: string, init: object) => SocketEvent;
}
