import { describe, expect, it } from 'vitest';
import { Stage } from '../virtual-server.ts';

const PING = '\u0005wb';
const FIRST = `${PING}.1;v=1`;
const SESSION = 'session=AbCdEfGhIjKlMnOpQrSt-_';

/** A server that bridges, with one client whose layer answers after 40 ms. */
function start(options = {}, peer = {}) {
  const stage = new Stage({ answer: 'bridge', advertise: false, ...options });
  const { socket, connection } = stage.connect({ answersBeats: true, latency: 40, ...peer });
  stage.advanceTo(100); // its first Ping is answered
  const { length } = stage.log;
  return { stage, socket, connection, since: () => stage.log.slice(length) };
}

describe('a server with `answer: bridge`', () => {
  it('sends a protocol Ping for each application ping, and answers when the Pong comes', () => {
    const { stage, socket, since } = start();
    socket.receive(FIRST);
    expect(since().filter((line) => line.includes('!'))).toEqual([]);
    stage.advanceTo(1_000);
    socket.receive(PING);
    stage.advanceTo(2_000);
    expect(since().filter((line) => !line.includes('?'))).toEqual([
      '100 Ping wb-0.b1',
      '140 sends !wb.1',
      '1000 Ping wb-0.b2',
      '1040 sends !wb',
    ]);
  });

  it('says in the pong what it would say at once', () => {
    const { stage, socket, since } = start({ advertise: { pingInterval: 10_000 } });
    socket.receive(FIRST);
    stage.advanceTo(1_000);
    expect(since()).toContain('140 sends !wb.1;pingInterval=10000');
  });

  it('measures the latency with these Pings, and needs no object once they are answered', () => {
    const { stage, socket, connection } = start();
    socket.receive(FIRST);
    socket.peer.latency = 70;
    socket.receive(PING);
    stage.advanceTo(1_000);
    expect(connection.transportLatency).toBe(70);
    expect(connection.status).toBe('alive');
  });

  it('answers no ping of a client whose WebSocket layer answers no Ping, and declares it dead', () => {
    const { stage, socket, connection, since } = start();
    socket.receive(FIRST);
    stage.advanceTo(1_000);
    socket.peer.answersPings = false;
    const { length } = since();
    for (let count = 0; count < 40; count += 1) socket.receive(`${PING}.x${count}`);
    stage.advanceTo(1_000 + connection.detectionBound);
    const rest = since().slice(length);
    expect(rest.filter((line) => line.includes('!'))).toEqual([]);
    expect(rest.filter((line) => / Ping wb-0\.b/.test(line)).length).toBe(16);
    expect(rest.some((line) => line.includes('dead: ping-timeout'))).toBe(true);
  });

  it('answers the latest of very many pings once Pongs come again', () => {
    const { stage, socket, since } = start();
    socket.receive(FIRST);
    stage.advanceTo(1_000);
    const { length } = since();
    for (let count = 1; count <= 40; count += 1) socket.receive(`${PING}.x${count}`);
    stage.advanceTo(2_000);
    const pongs = since()
      .slice(length)
      .filter((line) => line.includes('!'));
    expect(pongs).toHaveLength(17);
    expect(pongs.at(-1)).toBe('1080 sends !wb.x40');
  });

  it('forgets pings that wait when the connection ends', () => {
    const { stage, socket, since } = start();
    socket.receive(FIRST);
    socket.end(1000);
    stage.advanceTo(60_000);
    expect(since().filter((line) => line.includes('!'))).toEqual([]);
    expect(stage.scheduler.pending).toBe(0);
  });

  it('answers a first ping that carries a session', () => {
    const { stage, socket, since } = start();
    socket.receive(`${FIRST};${SESSION}`);
    stage.advanceTo(1_000);
    socket.receive(PING);
    stage.advanceTo(2_000);
    expect(since().filter((line) => !line.includes('?'))).toEqual([
      '100 Ping wb-0.b1',
      '140 sends !wb.1;session=ok',
      '1000 Ping wb-0.b2',
      '1040 sends !wb',
    ]);
  });

  it('refuses any other word', () => {
    expect(() => new Stage({ answer: 'later' } as never)).toThrow(
      /`answer` to be 'local' or 'bridge', got `'later'`/,
    );
  });
});

describe.each(['bridge', 'local'] as const)('a server with `answer: %s`', (answer) => {
  it('treats a client with a session as any other', () => {
    const logOf = (session: string) => {
      const { stage, socket, since } = start({ answer, advertise: { pingInterval: 10_000 } });
      socket.receive(`${FIRST}${session}`);
      for (const at of [1_000, 11_000]) {
        stage.advanceTo(at);
        socket.receive(`${PING}.${at}`);
      }
      stage.advanceTo(120_000); // it does not ping any more
      return since().map((line) => line.replace(';session=ok', ''));
    };
    expect(logOf(`;${SESSION}`)).toEqual(logOf(''));
  });
});
