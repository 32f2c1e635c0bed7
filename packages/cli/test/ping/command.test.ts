// `wirebeat ping` as a process, over real sockets: piped and on a terminal.
import { writeFileSync } from 'node:fs';

import { join } from 'node:path';
import { attachHeartbeat } from '@wirebeat/server';
import { describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { CERT } from '../../../server/test/gateway/certificate.ts';
import { onTerminal, wirebeat } from '../command-line.ts';
import {
  atEnd,
  jsonLines,
  serve,
  serveSecurely,
  serveSilence,
  serveStatus,
  temporaryFolder,
  urlOf,
} from '../server.ts';

/** Lets `decide` answer each application ping of a plain server. `seq` counts from 1 on each connection. */
function answer(
  server: WebSocketServer,
  decide: (seq: number, pong: () => void, socket: WebSocket) => unknown,
): void {
  server.on('connection', (socket) => {
    let seq = 0;
    socket.on('message', (data) => {
      seq += 1;
      decide(seq, () => socket.send(`\u0006${String(data).slice(1)}`), socket);
    });
  });
}

describe('wirebeat ping', () => {
  it('shows nothing of the token in its URL, and sends it', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const asked: (string | undefined)[] = [];
    server.on('connection', (_, { url: path, headers }) => asked.push(path, headers.authorization));
    const full = `${url.replace('//', '//me:SECRET@')}live?token=SECRET`;
    const texts = await Promise.all([
      wirebeat(['ping', full, '-c', '1']),
      wirebeat(['ping', full, '-c', '1', '--json']),
      wirebeat(['ping', full, '-c', '1', '--dialect', 'text', '-W', '0.2']),
      wirebeat(['ping', full.replace(/:\d+\//, ':1/')]),
      wirebeat(['ping', full.replace('ws:', 'http:')]),
    ]);
    expect(asked).toContain('/live?token=SECRET');
    expect(asked).toContain(`Basic ${Buffer.from('me:SECRET').toString('base64')}`);
    for (const { stdout, stderr } of texts) expect(stdout + stderr).not.toContain('SECRET');
    expect(texts[0]?.stdout).toContain(`pong from ${url}live?…: seq=1`);
  });

  it('prints no control character of a close reason', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server).on('pong', ({ tier, socket }) => {
      if (tier === 'application') socket.close(4000, 'bye\u001b[2J\u0007\n\u009b31m');
    });
    const { stderr } = await wirebeat(['ping', url]);
    expect(stderr).toEqual(
      expect.stringContaining('close code 4000, bye\\u001b[2J\\u0007\\u000a\\u009b31m, after'),
    );
  });

  it('prints a line for each pong of a server with a heartbeat, and a summary', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const { code, stdout, stderr } = await wirebeat(['ping', url, '-c', '3', '-i', '0.01']);
    expect(stderr).toBe('');
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^connected to \S+ \(127.0.0.1:\d+\): TCP [0-9.]+ ms, upgrade [0-9.]+ ms$/,
    );
    for (const seq of [1, 2, 3]) {
      expect(lines[seq]).toMatch(new RegExp(`^pong from ${url}: seq=${seq} time=[0-9.]+ ms$`));
    }
    expect(lines.slice(4)).toEqual([
      `--- ${url} ping statistics ---`,
      '3 sent, 3 received (0 late), 0 unanswered',
      expect.stringMatching(
        /^min\/avg\/max\/mdev = ([0-9.]+\/){3}[0-9.]+ ms, p95 = [0-9.]+ ms, first = [0-9.]+ ms$/,
      ),
    ]);
    expect(code).toBe(0);
  });

  it('prints JSON for programs', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const { code, stdout } = await wirebeat(['ping', url, '-c', '2', '-i', '0.01', '--json']);
    const [opened, first, second, summary, ...rest] = jsonLines(stdout);
    expect(opened).toMatchObject({ type: 'open', url, upgradeMs: expect.any(Number) });
    expect(first).toMatchObject({ type: 'pong', url, seq: 1, latencyMs: expect.any(Number) });
    expect(second).toMatchObject({ type: 'pong', seq: 2 });
    expect(summary).toMatchObject({ type: 'summary', sent: 2, received: 2, unanswered: 0 });
    expect(rest).toEqual([]);
    expect(code).toBe(0);
  });

  it('is answered by five lines in place of @wirebeat/server', async () => {
    const { server, url } = await serve();
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        const text = String(data);
        if (text.startsWith('\u0005wb')) socket.send(`\u0006${text.slice(1)}`);
      });
    });
    const { code, stdout } = await wirebeat(['ping', url, '-c', '2', '-i', '0.01']);
    expect(stdout).toContain('2 sent, 2 received (0 late), 0 unanswered');
    expect(code).toBe(0);
  });

  it('prints the summary at Ctrl-C', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const args = ['ping', url, '-i', '60', '--json'];
    const { code, stdout } = await wirebeat(args, (line, interrupt) => {
      if (line.includes('"pong"')) interrupt();
    });
    const [, pong, summary] = jsonLines(stdout);
    expect(pong).toMatchObject({ type: 'pong', seq: 1 });
    expect(summary).toMatchObject({ type: 'summary', sent: 1, received: 1 });
    expect(code).toBe(0);
  });

  it('says that a peer answers no application ping', async () => {
    const { url } = await serve();
    const { code, stdout, stderr } = await wirebeat(['ping', url, '-c', '1', '-W', '0.3']);
    expect(stdout.split('\n').slice(1)).toEqual([
      `no pong from ${url}: seq=1 within 300 ms`,
      `--- ${url} ping statistics ---`,
      '1 sent, 0 received (0 late), 1 unanswered',
      '',
    ]);
    expect(stderr).toMatch(/answers no application ping/);
    expect(code).toBe(1);
  });

  it('goes on after a ping that was not answered, and exits with 1', async () => {
    const { server, url } = await serve();
    answer(server, (seq, pong) => seq !== 2 && pong());
    const args = ['ping', url, '-c', '3', '-i', '0.01', '-W', '1.5', '--json'];
    const { code, stdout, stderr } = await wirebeat(args);
    const types = jsonLines(stdout).map(({ type }) => type);
    expect(types).toEqual(['open', 'pong', 'silence', 'pong', 'summary']);
    expect(stderr).toBe('');
    expect(code).toBe(1);
  });

  it('shows a pong after its timeout as late, not as unanswered, and exits with 1', async () => {
    const { server, url } = await serve();
    const held = new Map<WebSocket, () => void>();
    answer(server, (seq, pong, socket) => {
      if (seq === 1) return held.set(socket, pong);
      held.get(socket)?.();
      return pong();
    });
    const args = ['ping', url, '-c', '2', '-i', '0.01', '-W', '1'];
    const [text, json] = await Promise.all([
      wirebeat(args),
      wirebeat([...args, '--json']).then(({ stdout }) => jsonLines(stdout)),
    ]);
    expect(text.stdout).toMatch(/late pong from \S+: seq=1 time=1\d{3} ms/);
    expect(text.stdout).toContain('2 sent, 2 received (1 late), 0 unanswered');
    expect(text.code).toBe(1);
    expect(json.filter(({ late }) => late === true)).toMatchObject([{ type: 'pong', seq: 1 }]);
    expect(json.at(-1)).toMatchObject({ received: 2, late: 1, unanswered: 0 });
  });

  it('prints only the summary with -q', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const { code, stdout } = await wirebeat(['ping', url, '-c', '2', '-i', '0.01', '-q']);
    expect(stdout).toMatch(/^--- .* statistics ---\n2 sent, 2 received/);
    expect(code).toBe(0);
  });

  it('prints the Unix time before each line with -D', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const { stdout } = await wirebeat(['ping', url, '-c', '1', '-D']);
    const [opened = '', pong = ''] = stdout.split('\n');
    expect(opened).toMatch(/^\[\d+\.\d{6}\] connected to/);
    expect(pong).toMatch(/^\[\d+\.\d{6}\] pong from/);
  });

  it('stops after the time of -w: with 0, or with 1 if there were fewer pongs than -c asks for', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const args = ['ping', url, '-i', '0.2', '-w', '2', '-q'];
    const [free, counted] = await Promise.all([wirebeat(args), wirebeat([...args, '-c', '9999'])]);
    expect([free.code, counted.code]).toEqual([0, 1]);
    expect(counted.stdout).toContain('statistics');
  });

  it('sends pings of the size of -s', async () => {
    const { server, url } = await serve();
    const sizes: number[] = [];
    server.on('connection', (socket) => {
      socket.on('ping', (data) => sizes.push(data.length));
      socket.on('message', (data: Buffer) => {
        sizes.push(data.length);
        socket.send(`\u0006${String(data).slice(1)}`);
      });
    });
    for (const size of ['32', '50', '53', '125']) {
      const args = ['ping', url, '-c', '2', '-i', '0.01', '-s', size];
      const both = await Promise.all([wirebeat([...args, '--protocol']), wirebeat(args)]);
      expect(both.map(({ code }) => code)).toEqual([0, 0]);
      expect(sizes.splice(0)).toEqual(Array(4).fill(Number(size)));
    }
  });

  it('does not flood a server, however short the interval', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const args = ['ping', url, '-i', '0.001', '-c', '70', '-q'];
    const { code, stdout, stderr } = await wirebeat(args);
    expect(stdout).toContain('70 sent, 70 received (0 late), 0 unanswered');
    expect(stderr).toMatch(/^wirebeat: sending at most five pings per second from now on/);
    expect(code).toBe(0);
  });

  it('accepts any certificate with -k, and that of an authority with --cacert', async () => {
    const { server, url } = await serveSecurely();
    attachHeartbeat(server);
    const file = join(temporaryFolder(), 'ca.pem');
    writeFileSync(file, CERT);
    const [strict, insecure, trusting] = await Promise.all([
      wirebeat(['ping', url, '-c', '1']),
      wirebeat(['ping', url, '-c', '1', '-k']),
      wirebeat(['ping', url, '-c', '1', '--cacert', file]),
    ]);
    expect([strict.code, insecure.code, trusting.code]).toEqual([1, 0, 0]);
    expect(strict.stderr).toMatch(/self-signed certificate\nwirebeat: .*--cacert FILE.*-k/s);
    expect(insecure.stdout).toMatch(/TCP [0-9.]+ ms, TLS [0-9.]+ ms, upgrade/);
  });

  it.each([
    [
      'a refused connection',
      async (): Promise<string> => 'ws://127.0.0.1:1/',
      'tcp',
      'ECONNREFUSED',
      /listens/,
    ],
    ['an unknown host', async (): Promise<string> => 'ws://nonesuch.invalid/', 'dns', /^E/, /DNS/],
    ['a silent server', (): Promise<string> => serveSilence(), 'upgrade', 'TIMEOUT', /hang/],
    [
      'a server without TLS',
      (): Promise<string> => serveSilence('wss'),
      'tls',
      'TIMEOUT',
      /try ws:\/\//,
    ],
    [
      'TLS where HTTP is expected',
      async (): Promise<string> => (await serve()).url.replace('ws:', 'wss:'),
      'tls',
      /./,
      /Try ws:\/\//,
    ],
    [
      'HTTP where TLS is expected',
      async (): Promise<string> => (await serveSecurely()).url.replace('wss:', 'ws:'),
      'upgrade',
      /./,
      /Try wss:\/\//,
    ],
    ['a status', (): Promise<string> => serveStatus(403), 'upgrade', 'HTTP_403', /Origin/],
    ['a redirect', (): Promise<string> => serveStatus(302), 'upgrade', 'HTTP_302', /redirect/],
  ] as const)('prints a JSON line with a hint for %s', async (_, start, stage, failure, hint) => {
    const url = await start();
    const { code, stdout, stderr } = await wirebeat(['ping', url, '-W', '2', '--json']);
    expect(jsonLines(stdout)).toMatchObject([
      {
        type: 'failure',
        url,
        stage,
        code: failure instanceof RegExp ? expect.stringMatching(failure) : failure,
        hint: expect.stringMatching(hint),
      },
    ]);
    expect(stderr).toMatch(/^wirebeat: no connection to /);
    expect(code).toBe(1);
  });

  it('prints a JSON line for a connection that is closed', async () => {
    const { server, url } = await serve();
    server.on('connection', (socket) => socket.close(4000, 'bye'));
    const { code, stdout } = await wirebeat(['ping', url, '--json']);
    const close = jsonLines(stdout).find(({ type }) => type === 'close');
    expect(close).toMatchObject({ code: 4000, text: 'bye', ageMs: expect.any(Number) });
    expect(code).toBe(1);
  });

  it('reconnects with -r, and says at the end what the closed connections have in common', async () => {
    const { server, url } = await serve();
    answer(server, (_, pong, socket) => {
      pong();
      setTimeout(() => socket.terminate(), 1_500);
    });
    const args = ['ping', url, '-r', '-i', '60', '-c', '4'];
    const [text, json] = await Promise.all([wirebeat(args), wirebeat([...args, '--json'])]);
    expect(text.stderr).toMatch(/: Closed after 1\.\d s idle, 3 times in a row: .* about 1\.\d s/);
    expect(text.stdout).toContain('4 sent, 4 received');
    expect(text.code).toBe(1);
    expect(jsonLines(json.stdout).at(-1)).toMatchObject({
      type: 'diagnosis',
      finding: 'idle-timeout',
      times: 3,
      afterMs: expect.any(Number),
    });
  });

  it('finds an idle timeout with --find-idle, and prints the pingInterval to set', async () => {
    const { server, url } = await serve();
    server.on('connection', (_, { socket }) => {
      socket.setTimeout(3_000, () => socket.destroy());
    });
    const args = ['ping', url, '--find-idle', '6', '-W', '1'];
    const [text, json] = await Promise.all([wirebeat(args), wirebeat([...args, '--json'])]);
    expect(text.stdout).toMatch(/^Idle timeout: idle connections are closed after [23]\.\d s/m);
    expect(text.stdout).toMatch(/^Set pingInterval: 1[0-3]00 in the client\./m);
    expect(text.stdout).toMatch(/^Lifetime limit: none found up to 6\.0 s\.$/m);
    expect([text.code, json.code]).toEqual([0, 0]);
    const [limits] = jsonLines(json.stdout);
    expect(limits).toMatchObject({ type: 'limits', idle: { type: 'closed', code: 1006 } });
    const { afterMs } = { ...(limits?.['idle'] as { afterMs: number }) };
    expect(Math.abs(afterMs - 3_000)).toBeLessThan(600);
  });

  it('prints no control character of a close reason with --find-idle', async () => {
    const { server, url } = await serve();
    server.on('connection', (socket, { socket: tcp }) => {
      tcp.setTimeout(1_500, () =>
        socket.close(4000, 'bye\u009b31m\u202e\u007f https://h/?token=SECRET'),
      );
    });
    const args = ['ping', url, '--find-idle', '3', '-W', '1'];
    const [text, json] = await Promise.all([wirebeat(args), wirebeat([...args, '--json'])]);
    expect(text.stdout).toContain('close code 4000, bye\\u009b31m\\u202e\\u007f https://h/?…');
    expect(json.stdout).toContain('"text":"bye\\u009b31m\\u202e\\u007f https://h/?…"');
    for (const { stdout } of [text, json]) {
      expect(stdout).not.toMatch(/\p{Bidi_Control}|[\u007f-\u009f]|SECRET/u);
    }
  });

  it('prints what --find-idle knows at Ctrl-C', async () => {
    const { url } = await serve();
    const { code, stdout } = await wirebeat(['ping', url, '--find-idle'], (line, interrupt) => {
      if (line.startsWith('searching')) setTimeout(interrupt, 500);
    });
    expect(stdout).toMatch(/^Idle timeout: none found up to \d\.\d s\.$/m);
    expect(code).toBe(0);
  });

  it('exits with 1 if --find-idle cannot connect', async () => {
    const { code, stdout, stderr } = await wirebeat(['ping', 'ws://127.0.0.1:1/', '--find-idle']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/no connection to .*ECONNREFUSED/);
  });

  it('shows failures in red on a terminal, and without colours if NO_COLOR is set', async () => {
    const { url } = await serve();
    const args = ['ping', url, '-c', '1', '-W', '1'];
    const [red, plain, piped] = await Promise.all([
      onTerminal(args),
      onTerminal(args, { NO_COLOR: '1' }),
      wirebeat(args),
    ]);
    const silence = `no pong from ${url}: seq=1 within 1000 ms`;
    expect(red.shown).toContain(`\u001b[31m${silence}\u001b[39m\n`);
    expect(plain.shown).toContain(`\n${silence}\n`);
    expect(piped.stdout).toContain(`\n${silence}\n`);
    expect([red.code, plain.code, piped.code]).toEqual([1, 1, 1]);
  });

  it('prints the close code if the peer closes', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server).on('pong', ({ tier, socket }) => {
      if (tier === 'application') socket.close(1001, 'going away');
    });
    const { code, stdout, stderr } = await wirebeat(['ping', url]);
    expect(stdout).toContain(`--- ${url} ping statistics ---`);
    expect(stderr).toMatch(
      /^wirebeat: the connection to \S+ was closed: close code 1001, going away, after/,
    );
    expect(code).toBe(1);
  });

  it('says why it could not connect', async () => {
    const { server, url } = await serve();
    await new Promise((resolve) => server.close(resolve));
    const { code, stdout, stderr } = await wirebeat(['ping', url]);
    expect(stdout).toBe('');
    expect(stderr).toMatch(new RegExp(`^wirebeat: no connection to ${url}: .*ECONNREFUSED`));
    expect(code).toBe(1);
  });

  it('does not wait without limit for a connection', async () => {
    const url = await serveSilence();
    // Long enough for TCP on a busy machine, because that step has the same limit.
    const { code, stderr } = await wirebeat(['ping', url, '-W', '2']);
    expect(stderr).toMatch(/: no connection to \S+: the step upgrade did not finish within 2 s\n/);
    expect(code).toBe(1);
  });

  it('prints the HTTP status of a server that is not one for WebSockets', async () => {
    const { server, url } = await serve();
    server.shouldHandle = () => false;
    const { code, stderr } = await wirebeat(['ping', url]);
    expect(stderr).toMatch(/no connection to .*: .*\b400\b/);
    expect(code).toBe(1);
  });

  it('pings the WebSocket layer with --protocol: a plain server answers', async () => {
    const { server, url } = await serve();
    const told: string[] = [];
    server.on('connection', (socket) => socket.on('message', (data) => told.push(String(data))));
    const { code, stdout } = await wirebeat(['ping', url, '--protocol', '-c', '3', '-i', '0.01']);
    expect(stdout).toContain('3 sent, 3 received (0 late), 0 unanswered');
    expect([code, told]).toEqual([0, []]);
  });

  it('says that no protocol Ping was answered', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong: false });
    atEnd(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const url = urlOf(server.address());
    const { code, stdout, stderr } = await wirebeat([
      'ping',
      url,
      '--protocol',
      '-c',
      '1',
      '-W',
      '0.2',
    ]);
    expect(stdout).toContain('1 sent, 0 received (0 late), 1 unanswered');
    expect(stderr).toMatch(/answers no protocol Ping/);
    expect(code).toBe(1);
  });

  it.each([
    ['text', (text: string) => (text === 'ping' ? 'pong' : undefined)],
    ['trpc', (text: string) => (text === 'PING' ? 'PONG' : undefined)],
    ['json', (text: string) => (text === '{"type":"ping"}' ? '{ "type": "pong" }' : undefined)],
    [
      'phoenix',
      (text: string) => {
        const [join, ref, topic, event] = JSON.parse(text) as unknown[];
        const isHeartbeat = topic === 'phoenix' && event === 'heartbeat';
        const reply = [join, ref, topic, 'phx_reply', { status: 'ok', response: {} }];
        return isHeartbeat ? JSON.stringify(reply) : undefined;
      },
    ],
  ])('pings as another protocol does: %s', async (dialect, answer) => {
    const { server, url } = await serve();
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        socket.send('something else');
        const text = answer(String(data));
        if (text !== undefined) socket.send(text);
      });
    });
    const args = ['ping', url, '--dialect', dialect, '-c', '2', '-i', '0.01'];
    const { code, stdout } = await wirebeat(args);
    expect(stdout).toContain('2 sent, 2 received (0 late), 0 unanswered');
    expect(code).toBe(0);
  });

  it('pings as a client of Discord does, after the hello of the server', async () => {
    const { server, url } = await serve();
    const received: string[] = [];
    let isGreeted = false;
    server.on('connection', (socket) => {
      setTimeout(() => {
        isGreeted = true;
        socket.send('{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}');
        socket.send('{"op":1,"d":null}'); // asks for a heartbeat
      }, 50);
      socket.on('message', (data) => {
        received.push(isGreeted ? String(data) : 'too early');
        socket.send('{"t":null,"s":null,"op":11,"d":null}');
      });
    });
    const args = ['ping', url, '--dialect', 'discord', '-c', '2', '-i', '0.01'];
    const { code, stdout } = await wirebeat(args);
    expect(stdout).toContain('2 sent, 2 received (0 late), 0 unanswered');
    expect(received).toEqual(Array(3).fill('{"op":1,"d":null}'));
    expect(code).toBe(0);
  });

  it('sends headers and subprotocols with the handshake', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const asked: unknown[] = [];
    server.on('connection', (socket, { headers }) => {
      asked.push(headers['cookie'], headers['x-token'], socket.protocol);
    });
    const more = ['-H', 'Cookie: id=1', '-H', 'X-Token: a b', '--subprotocol', 'chat'];
    const { code } = await wirebeat(['ping', url, '-c', '1', ...more]);
    expect([code, ...asked]).toEqual([0, 'id=1', 'a b', 'chat']);
  });
});
