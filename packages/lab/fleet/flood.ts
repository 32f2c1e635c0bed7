// A client that sends pings at a given rate and reads nothing. It reconnects when it is closed.
import { connect, type Socket } from 'node:net';
import { obey, settings, tell } from './parent.ts';

/** Settings of a flood. */
export interface FloodSettings {
  readonly port: number;
  /** Pings per second. */
  readonly rate: number;
  /** Application pings or protocol Pings. */
  readonly tier: 'application' | 'transport';
}

const { port, rate, tier } = settings<FloodSettings>();
const PERIOD = 10;
const AGAIN = 100; // ms between attempts: the test measures pings, not handshakes

/** Encodes a short masked frame: RFC 6455 §5.2, text or Ping. */
function frame(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** As long as allowed: the answers soon fill the kernel's buffers. */
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

/** Sends only what the kernel accepts, so that unread pings do not fill the buffers of this process. */
function flood(): void {
  if (socket === undefined || socket.connecting || socket.writableNeedDrain) return;
  if (!socket.writable) return;
  socket.write(chunk);
  sent += chunk.length / ping.length;
}

obey({
  /**
   * Ends the flood. Answers how many pings were sent and how often the server closed the connection.
   */
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
