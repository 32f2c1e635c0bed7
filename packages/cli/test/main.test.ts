import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attachHeartbeat } from '@wirebeat/server';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { wirebeat } from './command-line.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function urlOf({ port }: AddressInfo): string {
  return `ws://127.0.0.1:${port}/`;
}

/** A server on a free port, until the end of the test. */
async function serve(): Promise<{ server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  closers.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return { server, url: urlOf(server.address() as AddressInfo) };
}

/** A port that takes connections and says nothing. */
async function serveSilence(): Promise<string> {
  const server = createServer((socket) => {
    closers.push(() => socket.destroy());
  });
  closers.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return urlOf(server.address() as AddressInfo);
}

function jsonLines(text: string): { readonly type: string; readonly [key: string]: unknown }[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('wirebeat', () => {
  it('tells its version', async () => {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    const { code, stdout } = await wirebeat(['--version']);
    expect(code).toBe(0);
    expect(stdout).toBe(`${JSON.parse(manifest).version}\n`);
  });

  it('lists its commands with --help, and the options of each', async () => {
    const [program, command] = await Promise.all([
      wirebeat(['--help']),
      wirebeat(['ping', '--help']),
    ]);
    expect(program.code).toBe(0);
    expect(program.stdout).toMatch(/^Usage: wirebeat .*\bping\b/s);
    expect(command.code).toBe(0);
    for (const option of [
      '-c, --count',
      '-i, --interval',
      '-W, --timeout',
      '-H, --header',
      '--json',
    ]) {
      expect(command.stdout).toContain(option);
    }
    expect(command.stdout).toContain('Examples:');
  });

  it.each([
    ['no command', [], /^Usage: wirebeat/],
    ['an unknown command', ['pong'], /unknown command 'pong'/],
    ['no url', ['ping'], /missing required argument 'url'/],
    ['what is no url', ['ping', 'localhost'], /'localhost' .*ws:\/\/ or wss:\/\//],
    ['a url of another kind', ['ping', 'http://localhost'], /ws:\/\/ or wss:\/\//],
    ['a port that cannot be', ['ping', 'ws://localhost:65536'], /ws:\/\/ or wss:\/\//],
    ['a fragment', ['ping', 'ws://localhost/#top'], /without #fragment/],
    ['two urls', ['ping', 'ws://localhost', 'ws://localhost'], /too many arguments/],
    ['an unknown option', ['ping', 'ws://localhost', '--fast'], /unknown option '--fast'/],
    ['a count of 0', ['ping', 'ws://localhost', '-c', '0'], /whole number > 0/],
    ['half a ping', ['ping', 'ws://localhost', '-c', '1.5'], /whole number > 0/],
    ['a negative interval', ['ping', 'ws://localhost', '-i', '-1'], /number of seconds > 0/],
    ['an empty timeout', ['ping', 'ws://localhost', '-W', ''], /number of seconds > 0/],
    ['two tiers', ['ping', 'ws://localhost', '--protocol', '--application'], /cannot be used with/],
    ['an unknown dialect', ['ping', 'ws://localhost', '--dialect', 'x'], /Allowed choices are/],
    ['a header without a value', ['ping', 'ws://localhost', '-H', 'Cookie'], /"Name: value"/],
    ['two subprotocols at once', ['ping', 'ws://localhost', '--subprotocol', 'a, b'], /one sub/],
    ['no upstream', ['gateway'], /Missing upstream: pass --upstream/],
    ['an upstream of another kind', ['gateway', '--upstream', 'tcp://h'], /ws:\/\/ or wss:\/\//],
    ['no port', ['gateway', '--listen', 'here', '--upstream', 'ws://h'], /a port, or host:port/],
    ['a port too many', ['serve', '--listen', '70000'], /a port, or host:port/],
    ['a file that is not there', ['gateway', '--config', '/no/such.json'], /Cannot read/],
    ['no origin', ['serve', '--allow-origin', 'localhost'], /must be an origin/],
    ['a timeout of words', ['ping', 'ws://localhost', '-W', 'long'], /number of seconds > 0/],
  ])('exits with 2 and a sentence for %s', async (_, args, sentence) => {
    const { code, stdout, stderr } = await wirebeat(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/\n {4}at /); // no stack
  });
});

describe('wirebeat gateway', () => {
  it.each([
    { upstream: 'ws//me:SECRET@h' },
    { upstream: 'ws://h', headers: 'authorization: SECRET' },
    { upstream: 'ws://h', tls: 'SECRET' },
  ])('repeats no secret of a file that makes no sense: %j', async (settings) => {
    const directory = mkdtempSync(join(tmpdir(), 'wirebeat-'));
    closers.push(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'gateway.json');
    writeFileSync(path, JSON.stringify(settings));
    const { code, stdout, stderr } = await wirebeat(['gateway', '--config', path]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^wirebeat: Expected `(upstream|headers|tls)` to be /);
    expect(stdout + stderr).not.toContain('SECRET');
  });
});

describe('wirebeat serve', () => {
  it('says where it listens by default', async () => {
    const { stdout } = await wirebeat(['serve', '--help']);
    expect(stdout).toContain('(default: 127.0.0.1:8787)');
    expect(stdout).not.toMatch(/object|\{/);
  });
});

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

  it('obeys no control character in a close reason', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server).on('pong', ({ tier, socket }) => {
      if (tier === 'application') socket.close(4000, 'bye\u001b[2J\u0007\n\u009b31m');
    });
    const { stderr } = await wirebeat(['ping', url]);
    expect(stderr).toBe(
      `wirebeat: lost the connection to ${url}: close code 4000, bye\\u001b[2J\\u0007\\u000a\\u009b31m\n`,
    );
  });

  it('prints a line for each pong of a server with a heartbeat, and sums up', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const { code, stdout, stderr } = await wirebeat(['ping', url, '-c', '3', '-i', '0.01']);
    expect(stderr).toBe('');
    const lines = stdout.trimEnd().split('\n');
    for (const seq of [1, 2, 3]) {
      expect(lines[seq - 1]).toMatch(new RegExp(`^pong from ${url}: seq=${seq} time=[0-9.]+ ms$`));
    }
    expect(lines.slice(3)).toEqual([
      `--- ${url} ping statistics ---`,
      '3 sent, 3 received, 0% loss',
      expect.stringMatching(/^min\/avg\/max\/mdev = ([0-9.]+\/){3}[0-9.]+ ms, p95 = [0-9.]+ ms$/),
    ]);
    expect(code).toBe(0);
  });

  it('prints JSON for programs', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const { code, stdout } = await wirebeat(['ping', url, '-c', '2', '-i', '0.01', '--json']);
    const [first, second, summary, ...rest] = jsonLines(stdout);
    expect(first).toEqual({ type: 'pong', url, seq: 1, latency: expect.any(Number) });
    expect(second).toMatchObject({ type: 'pong', seq: 2 });
    expect(summary).toMatchObject({ type: 'summary', sent: 2, received: 2, loss: 0 });
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
    expect(stdout).toContain('2 sent, 2 received, 0% loss');
    expect(code).toBe(0);
  });

  it('sums up at Ctrl-C', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const args = ['ping', url, '-i', '60', '--json'];
    const { code, stdout } = await wirebeat(args, (line, interrupt) => {
      if (line.includes('"pong"')) interrupt();
    });
    const [pong, summary] = jsonLines(stdout);
    expect(pong).toMatchObject({ type: 'pong', seq: 1 });
    expect(summary).toMatchObject({ type: 'summary', sent: 1, received: 1 });
    expect(code).toBe(0);
  });

  it('says plainly that a peer answers no application ping', async () => {
    const { url } = await serve();
    const { code, stdout, stderr } = await wirebeat(['ping', url, '-c', '1', '-W', '0.3']);
    expect(stdout.split('\n')).toEqual([
      `no pong from ${url}: seq=1 within 300 ms`,
      `--- ${url} ping statistics ---`,
      '1 sent, 0 received, 100% loss',
      '',
    ]);
    expect(stderr).toMatch(/answers no application ping/);
    expect(code).toBe(1);
  });

  it('goes on after a pong that was lost, and exits with 1', async () => {
    const { server, url } = await serve();
    let isMute = false;
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        if (!isMute) socket.send(`\u0006${String(data).slice(1)}`);
      });
    });
    const args = ['ping', url, '-c', '3', '-i', '0.3', '-W', '0.3', '--json'];
    const { code, stdout, stderr } = await wirebeat(args, (line) => {
      isMute = line.includes('"seq":1');
    });
    const types = jsonLines(stdout).map(({ type }) => type);
    expect(types).toEqual(['pong', 'silence', 'pong', 'summary']);
    expect(stderr).toBe('');
    expect(code).toBe(1);
  });

  it('tells the close code where the peer closes', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server).on('pong', ({ tier, socket }) => {
      if (tier === 'application') socket.close(1001, 'going away');
    });
    const { code, stdout, stderr } = await wirebeat(['ping', url]);
    expect(stdout).toContain(`--- ${url} ping statistics ---`);
    expect(stderr).toBe(`wirebeat: lost the connection to ${url}: close code 1001, going away\n`);
    expect(code).toBe(1);
  });

  it('tells why nobody could be reached', async () => {
    const { server, url } = await serve();
    await new Promise((resolve) => server.close(resolve));
    const { code, stdout, stderr } = await wirebeat(['ping', url]);
    expect(stdout).toBe('');
    expect(stderr).toMatch(new RegExp(`^wirebeat: no connection to ${url}: .*ECONNREFUSED`));
    expect(code).toBe(1);
  });

  it('does not wait for ever for a connection', async () => {
    const url = await serveSilence();
    const { code, stderr } = await wirebeat(['ping', url, '-W', '0.1']);
    expect(stderr).toBe(`wirebeat: no connection to ${url}: it did not open in time\n`);
    expect(code).toBe(1);
  });

  it('tells the HTTP status of a server that is none for WebSockets', async () => {
    const { server, url } = await serve();
    server.shouldHandle = () => false;
    const { code, stderr } = await wirebeat(['ping', url]);
    expect(stderr).toMatch(/no connection to .*: .*\b400\b/);
    expect(code).toBe(1);
  });

  it('asks the WebSocket layer with --protocol: a plain server answers that', async () => {
    const { server, url } = await serve();
    const told: string[] = [];
    server.on('connection', (socket) => socket.on('message', (data) => told.push(String(data))));
    const { code, stdout } = await wirebeat(['ping', url, '--protocol', '-c', '3', '-i', '0.01']);
    expect(stdout).toContain('3 sent, 3 received, 0% loss');
    expect([code, told]).toEqual([0, []]);
  });

  it('says plainly that nobody answers a protocol Ping', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong: false });
    closers.push(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const url = urlOf(server.address() as AddressInfo);
    const { code, stdout, stderr } = await wirebeat([
      'ping',
      url,
      '--protocol',
      '-c',
      '1',
      '-W',
      '0.2',
    ]);
    expect(stdout).toContain('1 sent, 0 received, 100% loss');
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
  ])('asks as another protocol does: %s', async (dialect, answer) => {
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
    expect(stdout).toContain('2 sent, 2 received, 0% loss');
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
