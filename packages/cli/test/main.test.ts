import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { wirebeat } from './command-line.ts';
import { atEnd } from './server.ts';

describe('wirebeat', () => {
  it('prints its version', async () => {
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
      '-w, --deadline',
      '-s, --size',
      '-q, --quiet',
      '-D, --stamps',
      '-k, --insecure',
      '-r, --reconnect',
      '--cacert',
      '--find-idle',
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
    [
      'a status page that is both on and off',
      ['gateway', '--upstream', 'ws://h', '--status', '9090', '--no-status'],
      /exclude each other/,
    ],
    ['two tiers', ['ping', 'ws://localhost', '--protocol', '--application'], /cannot be used with/],
    ['an unknown dialect', ['ping', 'ws://localhost', '--dialect', 'x'], /Allowed choices are/],
    ['a header without a value', ['ping', 'ws://localhost', '-H', 'Cookie'], /"Name: value"/],
    ['two subprotocols at once', ['ping', 'ws://localhost', '--subprotocol', 'a, b'], /one sub/],
    ['no upstream', ['gateway'], /Missing upstream: pass --upstream/],
    [
      'an upstream of another kind',
      ['gateway', '--upstream', 'tcp://h'],
      /http:\/\/ or https:\/\//,
    ],
    ['no port', ['gateway', '--listen', 'here', '--upstream', 'ws://h'], /a port, or host:port/],
    ['no status', ['gateway', '--status', 'x', '--upstream', 'ws://h'], /host:port, or public/],
    ['a log of words', ['gateway', '--log', 'xml', '--upstream', 'ws://h'], /Allowed choices/],
    ['a port too many', ['serve', '--listen', '70000'], /a port, or host:port/],
    ['a file that is not there', ['gateway', '--config', '/no/such.json'], /Cannot read/],
    ['no origin', ['serve', '--allow-origin', 'localhost'], /must be an origin/],
    ['a size too large', ['ping', 'ws://localhost', '-s', '126'], /whole number from 32 to 125/],
    ['a size too small', ['ping', 'ws://localhost', '-s', '1'], /whole number from 32 to 125/],
    ['a size of a dialect', ['ping', 'ws://h', '-s', '50', '--dialect', 'text'], /cannot be used/],
    ['a deadline of 0', ['ping', 'ws://localhost', '-w', '0'], /number of seconds > 0/],
    ['no certificates', ['ping', 'wss://localhost', '--cacert', '/no/such.pem'], /ENOENT/],
    ['a search of words', ['ping', 'ws://h', '--find-idle', 'all'], /number of seconds > 0/],
    ['a doctor without a url', ['doctor'], /missing required argument 'url'/],
    ['a doctor of a page', ['doctor', 'http://localhost'], /ws:\/\/ or wss:\/\//],
    ['a quick search', ['doctor', 'ws://h', '--quick', '--idle', '5'], /cannot be used with/],
    ['a silence of words', ['doctor', 'ws://h', '--idle', 'long'], /number of seconds > 0/],
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
  ])('repeats no secret of an invalid file: %j', async (settings) => {
    const directory = mkdtempSync(join(tmpdir(), 'wirebeat-'));
    atEnd(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'gateway.json');
    writeFileSync(path, JSON.stringify(settings));
    const { code, stdout, stderr } = await wirebeat(['gateway', '--config', path]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^wirebeat: \S+\.json: Expected `(upstream|headers|tls)` to be .*, got another (string|object)\n$/,
    );
    expect(stdout + stderr).not.toContain('SECRET');
  });
});

describe('wirebeat gateway --check', () => {
  it('says what valid settings do, and neither listens nor shows a secret', async () => {
    const { code, stdout, stderr } = await wirebeat([
      ...['gateway', '--check', '--listen', ':8080', '--drain', '5', '--status', 'public'],
      ...['--upstream', 'ws://me:SECRET@localhost:8765/live?token=SECRET'],
    ]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      'The command line is valid.',
      '  listens at         ws://*:8080',
      expect.stringMatching(/^ {2}upstream {11}ws:\/\/localhost:8765\/live/),
      '  status             http://*:8080: /healthz, /readyz, /metrics',
    ]);
    expect(stdout).toMatch(/^ {2}SIGTERM {12}closes all connections within 5000 ms$/m);
    expect(stdout).not.toContain('SECRET');
  });

  it('names the file, the key, the expectation and the value of an error, and exits with 2', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'wirebeat-'));
    atEnd(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'gateway.json');
    writeFileSync(path, JSON.stringify({ upstream: 'ws://h', maxMessageBytes: 'many' }));
    const { code, stdout, stderr } = await wirebeat(['gateway', '--check', '--config', path]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /^wirebeat: \S+gateway\.json: Expected `maxMessageBytes` to be .*, got .*\n$/,
    );
  });
});

describe('wirebeat gateway --schema', () => {
  it('prints a JSON schema and exits with 0', async () => {
    const { code, stdout, stderr } = await wirebeat(['gateway', '--schema']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'object',
      properties: { upstream: expect.anything(), listen: expect.anything() },
    });
  });
});

describe('wirebeat serve', () => {
  it('says where it listens by default', async () => {
    const { stdout } = await wirebeat(['serve', '--help']);
    expect(stdout).toContain('(default: 127.0.0.1:8787)');
    expect(stdout).not.toMatch(/object|\{/);
  });
});
