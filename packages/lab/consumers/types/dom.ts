// What an application that was written for WebSocket has: no type of it needs another.
import { attachHeartbeat, ReconnectingWebSocket } from '@wirebeat/client';

const socket = new ReconnectingWebSocket(new URL('wss://example.com'), ['chat']);
export const webSocket: WebSocket = socket;
export const target: EventTarget = socket;
export const type: typeof WebSocket = ReconnectingWebSocket;

function onMessage(event: MessageEvent<string>): void {
  console.log(event.data.length);
}

socket.onopen = (event: Event) => console.log(event.type);
socket.onmessage = onMessage;
socket.onmessage = (event: MessageEvent): void => console.log(event.data);
socket.onclose = (event: CloseEvent) => console.log(event.code);
socket.onclose = null;
socket.addEventListener('message', onMessage);
socket.addEventListener('message', (event: MessageEvent) => console.log(event.data));
socket.removeEventListener('message', onMessage);
socket.addEventListener('close', (event: CloseEvent) => console.log(event.wasClean));
socket.addEventListener('pong', ({ detail }) => console.log(detail.latency.toFixed()));
socket.addEventListener('retry', (event: CustomEvent<{ delay: number }>) => console.log(event));
const options: AddEventListenerOptions = { once: true };
socket.addEventListener('open', { handleEvent: (event: Event) => console.log(event) }, options);
socket.binaryType = 'arraybuffer';

attachHeartbeat(new WebSocket('wss://example.com'));
attachHeartbeat(webSocket);
new ReconnectingWebSocket(({ signal }) => fetch('/url', { signal }).then((it) => it.text()), [], {
  WebSocket,
  signal: new AbortController().signal,
});
