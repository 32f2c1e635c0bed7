// A proxy that does not pass data on at once.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { atEnd } from '../server.ts';

/** When a proxy passes on what it holds: at this many bytes, or after this time in ms. */
export type Hold = { readonly bytes: number } | { readonly time: number };

/**
 * Starts a proxy that passes the handshake on at once, and collects what follows in both directions.
 * Returns its URL.
 */
export async function collectBefore(url: string, hold: Hold): Promise<string> {
  const { hostname, port } = new URL(url);
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      atEnd(() => socket.destroy());
    }
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    pass(near, far, hold);
    pass(far, near, hold);
  });
  atEnd(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function pass(from: Socket, to: Socket, hold: Hold): void {
  let held: Buffer[] = [];
  let isFirst = true;
  const flush = (): void => {
    if (held.length > 0 && to.writable) to.write(Buffer.concat(held));
    held = [];
  };
  if ('time' in hold) {
    const timer = setInterval(flush, hold.time);
    from.once('close', () => clearInterval(timer));
  }
  from.on('data', (bytes) => {
    held.push(bytes);
    const size = held.reduce((sum, each) => sum + each.length, 0);
    if (isFirst || ('bytes' in hold && size >= hold.bytes)) flush();
    isFirst = false;
  });
}
