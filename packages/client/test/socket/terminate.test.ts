import { describe, expect, it } from 'vitest';
import { terminate } from '../../src/socket/terminate.ts';

function socketWith(...methods: string[]) {
  const calls: unknown[][] = [];
  const entries = ['close', ...methods].map((name) => [
    name,
    (...args: unknown[]) => calls.push([name, ...args]),
  ]);
  const socket = { ...Object.fromEntries(entries), addEventListener: () => {} };
  return { calls, socket };
}

describe('abandon', () => {
  it('tells a socket that comes back to do so, whatever else it can', () => {
    const { calls, socket } = socketWith('reconnect', 'terminate');
    terminate(socket);
    expect(calls).toEqual([['reconnect', 3008, 'ping timeout']]);
  });

  it('terminates one that can be', () => {
    const { calls, socket } = socketWith('terminate');
    terminate(socket);
    expect(calls).toEqual([['terminate']]);
  });

  it('closes any other with 3008, and says why', () => {
    const { calls, socket } = socketWith();
    terminate(socket, 'connect timeout');
    expect(calls).toEqual([['close', 3008, 'connect timeout']]);
  });

  it('takes it as it is if even that throws', () => {
    const { socket } = socketWith();
    socket.close = () => {
      throw new Error('not now');
    };
    expect(() => terminate(socket)).not.toThrow();
  });
});
