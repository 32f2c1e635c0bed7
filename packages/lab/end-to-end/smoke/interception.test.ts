// What the page on interception says of sockets in Node; of browsers, see `conformance.ts`.
import { attachHeartbeat, gateListeners, type WebSocketLike } from '@wirebeat/client';
import { WebSocket as PartySocket } from 'partysocket';
import reconnectingWebSocket from 'reconnecting-websocket';
import { WebSocket as UndiciWebSocket } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { type Hearing, hearingOf, readTable } from '../../runtimes/interception-table.mjs';
import { heard, Stage } from '../browsers/stage.ts';

/** Those that `conformance.ts` measures, and `npm run runtimes`. */
const ELSEWHERE = ['Chromium', 'Firefox', 'WebKit', 'Bun', 'Deno', 'workerd'];

interface Socket extends WebSocketLike {
  binaryType: string;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
}

/** Its types say that it is in `default`, where Node has the class itself. */
const ReconnectingWebSocket = reconnectingWebSocket as unknown as new (
  url: string,
  protocols: string[],
  options: object,
) => Socket;
const over = { WebSocket: NodeWebSocket };
const SOCKETS: Readonly<Record<string, (url: string) => Socket>> = {
  'Node, `ws`': (url) => new NodeWebSocket(url) as Socket,
  'Node, undici': (url) => new UndiciWebSocket(url) as Socket,
  partysocket: (url) => new PartySocket(url, [], over) as Socket,
  'reconnecting-websocket': (url) => new ReconnectingWebSocket(url, [], over),
};

const CASES = Object.entries(SOCKETS).map(([name, open]) => ({ name, runtime: name, open }));
const { WebSocket: Global } = globalThis as { WebSocket?: typeof UndiciWebSocket };
if (Global !== undefined) {
  const open = (url: string) => new Global(url) as Socket;
  CASES.push({ name: 'Node itself', runtime: 'Node, undici', open }); // from Node 22 on
}

/** As `hear` of `owner.js` does in a browser. */
async function hear(socket: Socket, handlerComes: string): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = { handler: [], late: [], early: [], earlyCapture: [] };
  const hears = (name: string) => (event: { readonly data: unknown }) =>
    void all[name]?.push(describeMessage(event.data));
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', hears('early'));
  socket.addEventListener('message', hears('earlyCapture'), { capture: true });
  if (handlerComes === 'before') socket.onmessage = hears('handler');
  const isImitation = socket instanceof PartySocket || socket instanceof ReconnectingWebSocket;
  const heartbeat = attachHeartbeat(socket, isImitation ? { gate: gateListeners } : {});
  if (handlerComes === 'after') socket.onmessage = hears('handler');
  socket.addEventListener('message', hears('late'));
  const last = new Promise<void>((resolve) => {
    const listener = ({ data }: { readonly data: unknown }) => data === 'last' && resolve();
    socket.addEventListener('message', listener);
  });
  await new Promise((resolve) => heartbeat.once('pong', resolve));
  socket.send('programme' as never);
  await last;
  socket.close();
  return all;
}

function describeMessage(data: unknown): string {
  if (typeof data === 'string') return data;
  const bytes = new Uint8Array(data as ArrayBuffer);
  const sum = bytes.reduce((sum, byte) => sum + byte, 0);
  return `ArrayBuffer ${bytes.length > 20 ? `of ${bytes.length}, sum ${sum}` : bytes.join()}`;
}

describe('attachHeartbeat', () => {
  it.each(CASES)('keeps beats from the application, as the table says: $name', async (test) => {
    const stage = await Stage.open();
    onTestFinished(() => stage.close());
    const hearings: Hearing[] = [];
    for (const handlerComes of ['before', 'after']) {
      const all = await hear(test.open(stage.url), handlerComes);
      hearings.push(hearingOf(all, heard('arraybuffer')));
      expect(all['late']).toEqual(heard('arraybuffer'));
      expect(all['handler']).toEqual(heard('arraybuffer'));
    }
    const row = readTable().get(test.runtime);
    expect(hearings).toEqual([row, row]);
  });
});

describe('the table', () => {
  it('has a row for each runtime that is tested, and no other', () => {
    const tested = new Set([...ELSEWHERE, ...Object.keys(SOCKETS)]);
    expect(new Set(readTable().keys())).toEqual(tested);
  });
});
