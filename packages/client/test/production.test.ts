// Run with the sources by the project `node`, and with the bundle for production by `production`.
import { describe, expect, it } from 'vitest';
import { attachHeartbeat } from '../src/attach.ts';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';

/** What `act` throws. */
function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('with or without sentences', () => {
  it('refuses an option with the same name, code and fields', () => {
    for (const act of [
      () => attachHeartbeat(new EventTarget() as never, { pingInterval: -1 }),
      () => new ReconnectingWebSocket('ws://host/', [], { pingInterval: -1 }),
    ]) {
      expect(thrownBy(act)).toMatchObject({
        name: 'InvalidOptionError',
        code: 'ERR_INVALID_OPTION',
        option: 'pingInterval',
        value: -1,
      });
    }
  });

  it('throws the errors of the standard, which name the value', () => {
    const WebSocket = () =>
      Object.assign(new EventTarget(), { readyState: 0, close() {} }) as never;
    const open = (url: string) => new ReconnectingWebSocket(url, [], { WebSocket });
    const naming = (value: string) => expect.stringContaining(value);
    expect(thrownBy(() => open('ftp://host/'))).toMatchObject({
      name: 'SyntaxError',
      message: naming('ftp://host/'),
    });
    const socket = open('ws://host/');
    expect(thrownBy(() => socket.close(1))).toMatchObject({
      name: 'InvalidAccessError',
      message: naming('1'),
    });
    expect(thrownBy(() => socket.send(Symbol('no message') as never))).toBeInstanceOf(TypeError);
    socket.close();
  });

  it('refuses what is no socket', () => {
    expect(thrownBy(() => attachHeartbeat({} as never))).toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option: 'socket',
    });
  });
});
