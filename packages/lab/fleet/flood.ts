// A client that sends pings as fast as it was told, and reads nothing. Shown out, it comes again.
import { connect, type Socket } from 'node:net';
import { obey, settings, tell } from './parent.ts';

/** What a flood is given. */
export interface FloodSettings {
  readonly port: number;
  /** Pings a second. */
  readonly rate: number;
  /** Application pings, or protocol Pings. */
  readonly tier: 'application' | 'transport';
}

const { port, rate, tier } = settings<FloodSettings>();
const PERIOD = 10;
const AGAIN = 100; // it does not come more often: what is measured are pings, not handshakes

/** A masked frame of few bytes, RFC 6455 §5.2: text, or a Ping. */
function frame(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** As long as it may be: what is answered fills the kernel's buffers soon. */
const VALUES = ['a', 'b', 'c'].map((key) => `;${key}=${key.repeat(24)}`).join('');
const ping = tier === 'application' ? frame(1, `\u0005wb.id${VALUES}`) : frame(9, VALUES);
const chunk = Buffer.concat(new Array((rate * PERIOD) / 1_000).fill(ping));
const handshake = [
  'GET /flood HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

let socket: Socket | undefined;
let sent = 0;
let shownOut = 0;
let isOver = false;

function open(): void {
  if (isOver) return;
  const tcp = connect(port, '127.0.0.1');
  socket = tcp;
  tcp.on('error', () => {});
  tcp.on('connect', () => {
    tcp.pause();
    tcp.write(handshake);
  });
  tcp.on('close', () => {
    shownOut += 1;
    setTimeout(open, AGAIN);
  });
}

/** What the peer does not read stays out of our own buffer: the flood is in the kernel's. */
function flood(): void {
  if (socket === undefined || socket.connecting || socket.writableNeedDrain) return;
  if (!socket.writable) return;
  socket.write(chunk);
  sent += chunk.length / ping.length;
}

obey({
  /** Ends the flood. Answers how many pings were sent, and how often it was shown out. */
  end() {
    isOver = true;
    clearInterval(timer);
    socket?.destroy();
    return { sent, shownOut };
  },
});

open();
const timer = setInterval(flood, PERIOD);
tell('flooding');
