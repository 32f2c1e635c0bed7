import { readFileSync } from 'node:fs';
import { isIPv4, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What the kernel of this machine knows about what was sent on a TCP connection. */
export type TcpState =
  /** The kernel of the peer has acknowledged everything. */
  | 'acknowledged'
  /** Something is being sent again, because no acknowledgement came. */
  | 'unacknowledged'
  /** The receive buffer of the peer is full. */
  | 'full';

/** How long one reading of the kernel's table is used, in ms: it lists every connection. */
const FRESH_FOR = 250;

const FILES = ['/proc/net/tcp', '/proc/net/tcp6'] as const;
/** Values of the column `tr` (proc(5)): the retransmission timer, and the probes of a full buffer. */
const RETRANSMIT = '01';
const WINDOW_PROBE = '04';

/** One row of the kernel's table. */
interface Row {
  readonly unacknowledged: number;
  readonly timer: string;
  readonly retransmits: number;
}

let table: ReadonlyMap<string, Row> = new Map();
let readAt: number = Number.NEGATIVE_INFINITY;

/**
 * Returns what the kernel knows about a connection. `undefined` if the socket is closed or no TCP
 * socket, or if the system is not Linux.
 */
export function tcpStateOf(socket: Duplex): TcpState | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = socket as Partial<Socket>;
  if (localAddress === undefined || remoteAddress === undefined) return undefined;
  const key = `${hexOf(localAddress)}:${portOf(localPort)} ${hexOf(remoteAddress)}:${portOf(remotePort)}`;
  const row = freshTable().get(key);
  if (row === undefined) return undefined;
  if (row.unacknowledged === 0) return 'acknowledged';
  if (row.timer === WINDOW_PROBE) return 'full';
  return row.timer === RETRANSMIT && row.retransmits > 0 ? 'unacknowledged' : 'acknowledged';
}

function freshTable(): ReadonlyMap<string, Row> {
  if (performance.now() - readAt <= FRESH_FOR) return table;
  readAt = performance.now();
  table = new Map(FILES.flatMap((file) => parseTcpTable(textOf(file))));
  return table;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // another system, or no right to read it
  }
}

/** Parses a table in the format of `/proc/net/tcp`: proc(5). */
export function parseTcpTable(text: string): readonly (readonly [key: string, row: Row])[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local, remote, , queues, timer, retransmits] = line.trim().split(/\s+/);
      if (local === undefined || remote === undefined || queues === undefined) return [];
      const row = {
        unacknowledged: Number.parseInt(queues.slice(0, 8), 16),
        timer: timer?.slice(0, 2) ?? '',
        retransmits: Number.parseInt(retransmits ?? '', 16),
      };
      return [[`${local} ${remote}`, row] as const];
    });
}

function portOf(port: number | undefined): string {
  return (port ?? 0).toString(16).toUpperCase().padStart(4, '0');
}

/** Formats an address as the kernel does: in words of four bytes, each with the last byte first. */
export function hexOf(address: string): string {
  if (isIPv4(address)) return wordOf(address.split('.').map(Number));
  const { hostname } = new URL(`http://[${address.replace(/%.*$/, '')}]`); // in the short form
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  const bytes = [...left, ...zeros, ...right].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
  return [0, 4, 8, 12].map((at) => wordOf(bytes.slice(at, at + 4))).join('');
}

function wordOf(bytes: readonly number[]): string {
  const hex = [...bytes].reverse().map((byte) => byte.toString(16).padStart(2, '0'));
  return hex.join('').toUpperCase();
}
