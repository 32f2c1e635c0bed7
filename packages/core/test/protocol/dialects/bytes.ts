import type { DialectSession, Wire } from '../../../src/protocol/dialects/index.ts';

/** Bytes of a text in UTF-8; bytes as they are. */
export function bytes(...parts: (string | number | readonly number[])[]): Uint8Array {
  const lists = parts.map((part) => {
    if (typeof part === 'string') return [...new TextEncoder().encode(part)];
    return typeof part === 'number' ? [part] : part;
  });
  return Uint8Array.from(lists.flat());
}

/** What a session makes of messages that come in order: the beats, and what is left of all of them. */
export function readAll(session: DialectSession, messages: readonly Wire[]) {
  const beats: string[] = [];
  const left: Wire[] = [];
  for (const message of messages) {
    const reading = session.receive(message);
    for (const beat of reading?.beats ?? []) beats.push(beat.kind);
    const rest = reading === undefined ? message : reading.rest;
    if (rest !== undefined) left.push(rest);
  }
  return { beats, left };
}

export function concat(messages: readonly Wire[]): string {
  return messages
    .map((message) => (typeof message === 'string' ? message : String.fromCharCode(...message)))
    .join('');
}

/** Cuts a message, or a list of them, into pieces at these places, in whatever order. */
export function split<Message extends Wire | readonly Wire[]>(
  message: Message,
  places: readonly number[],
): Message[] {
  const cuts = [0, ...places.map((place) => place % (message.length + 1)), message.length];
  cuts.sort((a, b) => a - b);
  return cuts.slice(1).map((end, index) => message.slice(cuts[index], end) as Message);
}
