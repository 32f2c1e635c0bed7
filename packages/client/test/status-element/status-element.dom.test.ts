import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { History } from '../../src/report/history.ts';
import { snapshotOf } from '../../src/snapshot-store.ts';
import { statusOf } from '../../src/status/status.ts';
import {
  defineStatusElement,
  type StatusElement,
} from '../../src/status-element/status-element.ts';
import { FakeServer } from '../fake-server.ts';
import { dial } from '../stage.ts';

const { socket, scheduler } = dial();
const plain = new FakeServer(scheduler).connect().client;

let element: StatusElement;

beforeEach(() => {
  defineStatusElement();
  element = document.body.appendChild(document.createElement('wirebeat-status'));
});
afterEach(() => element.remove());

describe('a status element', () => {
  it.each([
    ['socket', plain, 'socket', 'a ReconnectingWebSocket or SharedSocket'],
    ['store', snapshotOf(socket), 'store', 'that of statusOf()'],
    ['words', { good: 'gut', schlecht: '' }, 'schlecht', 'absent'],
  ])('refuses the wrong object as its %s, and stays as it was', (name, wrong, option, expected) => {
    element.socket = socket;
    expect(() => Reflect.set(element, name, wrong)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringContaining(`Expected \`${option}\` to be ${expected}`),
      }),
    );
    expect(element.socket).toBe(socket);
    expect(element.words.good).toBe('Connected');
  });

  it('accepts nothing in place of what it had', () => {
    element.socket = socket;
    for (const name of ['store', 'socket']) Reflect.set(element, name, null);
    expect([element.socket, element.store]).toEqual([undefined, undefined]);
  });

  it('takes the properties that were set before it was defined', () => {
    const early = document.createElement('wirebeat-early') as StatusElement;
    const history = new History();
    Object.assign(early, {
      store: statusOf(socket, { scheduler }),
      history,
      words: { good: 'gut' },
    });
    document.body.append(early);
    defineStatusElement('wirebeat-early');
    expect(Object.keys(early)).toEqual(['history']);
    expect(early.history).toBe(history);
    expect(early.words.good).toBe('gut');
    expect(early.store).toBeDefined();
    early.remove();
  });
});
