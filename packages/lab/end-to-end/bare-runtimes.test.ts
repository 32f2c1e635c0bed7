// The builds for pages and for React Native in runtimes that lack what pages have, as React Native does.
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import type * as client from '@wirebeat/client';
import { describe, expect, it } from 'vitest';
import { bundle } from '../bundle.mjs';

interface Build {
  readonly text: string;
  /** What the error says where there is no WebSocket, and where a class that is needed is missing. */
  readonly noSocket: string;
  readonly refusal: (missing: string) => RegExp;
  /** Whether a class that calls its listeners itself needs a gate, unless the runtime made it. */
  readonly needsGate: boolean;
}

const BUILDS: Readonly<Record<string, Build>> = {
  page: {
    text: readFileSync(
      new URL('../../client/dist/wirebeat-client.min.js', import.meta.url),
      'utf8',
    ),
    noSocket: 'ERR_INVALID_OPTION: WebSocket', // it has no sentences
    refusal: (missing) => new RegExp(`${missing} is not defined`),
    needsGate: false,
  },
  'React Native app': {
    text: await bundle(
      "import * as wirebeat from '@wirebeat/client'; globalThis.wirebeat = wirebeat;",
      import.meta.url,
      { format: 'iife', conditions: ['react-native'] },
    ),
    noSocket: 'Expected `WebSocket` to be given',
    refusal: (missing) => new RegExp(`needs \`${missing}\`.* polyfill`),
    needsGate: true,
  },
};

/** What a runtime may lack. */
const OPTIONAL = {
  AbortController,
  CustomEvent,
  DOMException,
  Event,
  EventTarget,
  MessageEvent,
  performance,
  structuredClone,
  CloseEvent: class CloseEvent extends Event {
    constructor(type: string, init: object) {
      super(type);
      Object.assign(this, init);
    }
  },
  document: Object.assign(new EventTarget(), { hidden: false }),
  navigator: { onLine: true },
};
type Name = keyof typeof OPTIONAL;
const NAMES = Object.keys(OPTIONAL) as Name[];
/** Without these a `ReconnectingWebSocket` cannot work. */
const NEEDED: readonly Name[] = ['EventTarget', 'Event', 'AbortController'];

type Listener = (event: object) => void;

/** A WebSocket that needs no global: it opens at once, answers pings, and says `hi` to a message. */
class PlainWebSocket {
  readyState = 0;
  bufferedAmount = 0;
  readonly #listeners: Map<string, Set<Listener>> = new Map();

  constructor() {
    setTimeout(() => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.#dispatch({ type: 'open' });
    });
  }

  send(text: string): void {
    const isPing = text.startsWith('\u0005wb');
    const data = isPing ? `\u0006${text.slice(1)}` : 'hi';
    setTimeout(() => this.#dispatch({ type: 'message', data }));
  }

  close(code = 1005, reason = ''): void {
    this.readyState = 3;
    setTimeout(() => this.#dispatch({ type: 'close', code, reason, wasClean: true }));
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, (this.#listeners.get(type) ?? new Set()).add(listener));
  }

  removeEventListener(type: string, listener: Listener): void {
    this.#listeners.get(type)?.delete(listener);
  }

  #dispatch(event: { readonly type: string; readonly [field: string]: unknown }): void {
    let isStopped = false;
    const stopImmediatePropagation = () => {
      isStopped = true;
    };
    for (const listener of this.#listeners.get(event.type) ?? []) {
      if (!isStopped) listener({ ...event, stopImmediatePropagation });
    }
  }
}

type Globals = { wirebeat: typeof client } & Record<string, unknown>;

/** Imports a build where these are missing, and nothing of Node is there. */
function runtimeWithout({ text }: Build, missing: readonly Name[]): Globals {
  const has = Object.entries(OPTIONAL).filter(([name]) => !missing.includes(name as Name));
  const context = createContext({
    ...Object.fromEntries(has),
    setTimeout,
    clearTimeout,
    URL,
    TextEncoder,
  }) as Globals;
  runInContext(text, context);
  return context;
}

async function latencyOf({ wirebeat }: Globals): Promise<number> {
  const heartbeat = wirebeat.attachHeartbeat(new PlainWebSocket());
  await new Promise((resolve) => heartbeat.once('pong', resolve));
  const latency = await heartbeat.ping();
  heartbeat.detach();
  return latency;
}

/** What a socket that reconnects dispatches from its opening to its end. */
async function storyOf({ wirebeat }: Globals): Promise<unknown[]> {
  const story: unknown[] = [];
  const socket = new wirebeat.ReconnectingWebSocket('ws://test/');
  for (const name of ['open', 'message', 'pong', 'close'] as const) {
    socket.addEventListener(name, (event: object) => {
      const { type, data, code, detail } = event as Record<string, unknown>;
      story.push([type, data ?? code ?? typeof detail]);
    });
  }
  await new Promise((resolve) => socket.addEventListener('pong', resolve));
  const heard = new Promise((resolve) => socket.addEventListener('message', resolve));
  socket.send('hello');
  await heard;
  const closed = new Promise((resolve) => socket.addEventListener('close', resolve));
  socket.close(4000);
  await closed;
  expect(() => new wirebeat.ReconnectingWebSocket('no address')).toThrow('no address');
  return story;
}

const STORY = [
  ['open', 'undefined'],
  ['pong', 'object'],
  ['message', 'hi'],
  ['close', 4000],
];

const RUNTIMES: readonly (readonly [title: string, missing: readonly Name[]])[] = [
  ['nothing', []],
  ...NAMES.map((name): [string, Name[]] => [name, [name]]),
  ['any of these', NAMES],
];

describe.each(Object.entries(BUILDS))('the build for a %s', (_, build) => {
  describe.each(RUNTIMES)('in a runtime that lacks %s', (_, missing) => {
    it('imports the client, and attaches a heartbeat', async () => {
      const runtime = runtimeWithout(build, missing);
      if (build.needsGate) Object.assign(runtime, { WebSocket: PlainWebSocket });
      expect(await latencyOf(runtime)).toBeGreaterThanOrEqual(0);
    });

    it('has a ReconnectingWebSocket that works, or says what it needs', async () => {
      const runtime = runtimeWithout(build, missing);
      const needed = NEEDED.find((name) => missing.includes(name));
      // The WebSocket and what is missing may come after the import.
      const refused = () => new runtime.wirebeat.ReconnectingWebSocket('ws://test/');
      expect(refused).toThrow(needed === undefined ? build.noSocket : build.refusal(needed));
      Object.assign(runtime, { WebSocket: PlainWebSocket });
      for (const name of NEEDED) runtime[name] = OPTIONAL[name];
      expect(await storyOf(runtime)).toEqual(STORY);
    });
  });
});
