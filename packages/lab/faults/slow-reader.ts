import type { Socket } from 'node:net';

const LOOK = 20; // ms between two reads

/**
 * Limits a socket to reading this many bytes per second, or none: what its peer sends fills the buffers
 * of both kernels, then those of the peer. Returns a function that removes the limit.
 */
export function readSlowly(socket: Socket, bytesPerSecond = 0): () => void {
  const share = Math.floor((bytesPerSecond * LOOK) / 1_000);
  let left = 0;
  const take = (bytes: Buffer) => {
    left -= bytes.length;
    if (left <= 0) socket.pause();
  };
  socket.on('data', take);
  socket.pause();
  const timer = setInterval(() => {
    left = Math.min(left + share, share);
    if (left > 0) socket.resume();
  }, LOOK);
  return () => {
    clearInterval(timer);
    socket.off('data', take);
    socket.resume();
  };
}
