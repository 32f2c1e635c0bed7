import { describe, expect, it } from 'vitest';
import { inOrder } from '../../../src/protocol/dialects/in-order.ts';
import type { Grammar } from '../../../src/protocol/dialects/messages.ts';

/** Pings are `ping`, `ping 7` and so on; pongs likewise. */
const GRAMMAR: Grammar = {
  write: (id) => `ping ${id}`,
  read(message) {
    const [word, id] = String(message).split(' ');
    if (word === 'pong') return { kind: 'pong', id };
    return word === 'ping' ? { kind: 'ping', answer: 'pong', id } : undefined;
  },
};
/** Its pongs repeat the ids of our pings. */
const ECHOING: Grammar = {
  ...GRAMMAR,
  read(message) {
    const beat = GRAMMAR.read(message);
    return beat?.kind === 'pong' && beat.id !== undefined ? { ...beat, isOurs: true } : beat;
  },
};
const ours = (id: string) => ({ kind: 'pong', id, isOurs: true });
const theirs = { kind: 'pong', id: '', isOurs: false };
const NOBODY = { kind: 'pong' };

describe('inOrder', () => {
  it('gives pongs without an id to the oldest ping, whoever sent it', () => {
    const { write, read, sent } = inOrder(GRAMMAR);
    expect(write('1')).toBe('ping 1');
    expect(sent?.('ping')).toBe('');
    expect(read('pong')).toEqual(ours('1'));
    expect(read('pong')).toEqual(theirs);
    expect(read('pong')).toEqual(NOBODY);
  });

  it('reads everything else as its grammar does, and takes only a ping for one', () => {
    const { read, sent } = inOrder(GRAMMAR);
    expect(read('ping')).toEqual({ kind: 'ping', answer: 'pong' });
    expect(read('other')).toBeUndefined();
    expect([sent?.('pong'), sent?.('other')]).toEqual([undefined, undefined]);
    expect(read('pong')).toEqual(NOBODY);
  });

  it('takes a pong without an id for none of ours once one has had the id of ours', () => {
    const { write, read, sent } = inOrder(ECHOING);
    write('1');
    expect(read('pong 1')).toEqual(ours('1'));
    write('2');
    sent?.('ping');
    for (const pong of [read('pong'), read('pong'), read('pong')]) {
      expect(pong).not.toMatchObject({ isOurs: true }); // nobody asked for the last one
    }
    expect(read('pong 2')).toEqual(ours('2'));
  });

  it('sends no seventeenth ping while none is answered, and forgets the seventeenth of the application', () => {
    const { write, read, sent } = inOrder(GRAMMAR);
    for (let index = 0; index < 17; index += 1) sent?.('ping');
    expect(write('one more')).toBeUndefined();
    expect(read('pong')).toEqual(theirs);
    expect(write('one more')).toBe('ping one more');
  });

  it('needs no order for a pong with an id, which tells that the older pings are done with', () => {
    const { write, read, sent } = inOrder(GRAMMAR);
    write('1');
    expect(sent?.('ping 7')).toBe('7');
    expect(read('pong 7')).toEqual({ kind: 'pong', id: '7' });
    expect(read('pong')).toEqual(NOBODY);
  });

  it('reads what the application sends in a way of its own', () => {
    const { read, sent } = inOrder(GRAMMAR, () => undefined);
    expect(sent?.('ping')).toBeUndefined();
    expect(read('pong')).toEqual(NOBODY);
  });
});
