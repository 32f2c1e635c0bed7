import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { History } from '../../src/report/history.ts';
import { snapshotOf } from '../../src/snapshot-store.ts';
import { statusOf } from '../../src/status/status.ts';
import {
  defineStatusElement,
  type StatusElement,
} from '../../src/status-element/status-element.ts';
import { FakeServer } from '../fake-server.ts';
import { dial, dialOpen } from '../stage.ts';

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

/** A part of the element that a page can style. */
const part = (name: string) => element.shadowRoot?.querySelector<HTMLElement>(`.${name}`);

describe('a status element without a socket', () => {
  it('shows nothing until it has one', () => {
    expect(part('root')?.hidden).toBe(true);
    element.socket = socket;
    expect(part('root')?.hidden).toBe(false);
  });

  it.each(['socket', 'store'] as const)('shows nothing once its %s is removed', (name) => {
    const stage = dialOpen();
    if (name === 'socket') element.socket = stage.socket;
    else element.store = statusOf(stage.socket, { scheduler: stage.scheduler });
    expect(part('word')?.textContent).toBe('Connected');
    element[name] = undefined;
    expect(part('root')?.hidden).toBe(true);
    element.words = { good: 'gut' };
    expect(part('root')?.hidden).toBe(true);
    element.socket = stage.socket;
    expect(part('root')?.hidden).toBe(false);
    expect(part('word')?.textContent).toBe('gut');
  });

  it('shows nothing after its socket was removed outside of the document', () => {
    element.socket = dialOpen().socket;
    element.remove();
    element.socket = undefined;
    document.body.append(element);
    expect(part('root')?.hidden).toBe(true);
  });

  it('copies nothing', async () => {
    const writeText = vi.fn();
    vi.stubGlobal('navigator', { clipboard: { writeText } });
    part('copy')?.click();
    await Promise.resolve();
    expect(writeText).not.toHaveBeenCalled();
    vi.unstubAllGlobals();
  });
});

describe('the countdown of a status element', () => {
  const MOVES: [how: string, move: () => void][] = [
    ['after the loss', () => {}],
    ['in another place', () => document.body.prepend(element)],
    [
      'again',
      () => {
        element.remove();
        vi.advanceTimersByTime(1_000);
        document.body.append(element);
      },
    ],
  ];

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Shows a socket that waits for its next attempt. */
  const showWaiting = () => {
    const stage = dialOpen('ws', { backoff: { minDelay: 20_000, jitter: 'none' } });
    snapshotOf(stage.socket); // it notes the `retry` event
    stage.server.last.reset();
    element.setAttribute('lost-after', '0');
    element.socket = stage.socket;
  };

  it.each(MOVES)('goes on when it is inserted %s', (_, move) => {
    showWaiting();
    move();
    const before = part('countdown')?.textContent;
    expect(before).toMatch(/\d/);
    vi.advanceTimersByTime(2_000);
    expect(part('countdown')?.textContent).toMatch(/\d/);
    expect(part('countdown')?.textContent).not.toBe(before);
  });

  it('stops when the element is removed', () => {
    showWaiting();
    vi.advanceTimersByTime(1_000);
    element.remove();
    expect(vi.getTimerCount()).toBe(0);
  });
});
