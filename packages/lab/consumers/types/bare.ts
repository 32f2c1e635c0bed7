// What compiles without `lib: ["dom"]` and without @types/node.
import { attachHeartbeat, ReconnectingWebSocket } from '@wirebeat/client';
import { fakeSocketPair, VirtualScheduler } from '@wirebeat/core/testing';

const socket = new ReconnectingWebSocket({ href: 'wss://example.com' });
socket.onmessage = ({ data, origin }) => [data, origin.length];
socket.onclose = ({ code, reason, wasClean }) => [code.toFixed(), reason.length, wasClean];
socket.addEventListener('open', ({ type }) => type.length, { once: true });
socket.addEventListener('pong', ({ detail }) => detail.latency.toFixed());

const [page] = fakeSocketPair(new VirtualScheduler());
attachHeartbeat(page).on('dead', ({ silentFor }) => silentFor.toFixed());
