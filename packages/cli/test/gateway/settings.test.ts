import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HEADER_SCHEMA } from '../../../server/src/gateway/http/headers.ts';
import { GATEWAY_SCHEMA } from '../../../server/src/gateway/options.ts';
import { CERT, KEY } from '../../../server/test/gateway/certificate.ts';
import { planOf } from '../../src/gateway/check.ts';
import { ConfigError } from '../../src/gateway/config-error.ts';
import { CONFIG_KEYS, configSchema } from '../../src/gateway/config-schema.ts';
import { readSettings } from '../../src/gateway/settings.ts';

let folder: string;
let config: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  config = join(folder, 'gateway.json');
  writeFileSync(join(folder, 'cert.pem'), CERT);
  writeFileSync(join(folder, 'key.pem'), KEY);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Reads a file with this content, which may be text or an object. */
function read(content: unknown, flags: object = {}) {
  writeFileSync(config, typeof content === 'string' ? content : JSON.stringify(content));
  return readSettings({ config, ...flags });
}

function messageOf(content: unknown): string {
  try {
    read(content);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('The file is valid');
}

const UPSTREAM = { upstream: 'ws://h' };

describe('readSettings', () => {
  it('needs nothing but an upstream', () => {
    expect(readSettings({ upstream: 'ws://h/' })).toEqual({
      place: { port: 8080 },
      status: { host: '127.0.0.1', port: 9090 },
      tls: undefined,
      within: 10_000,
      log: 'json',
      readiness: { interval: 10_000, timeout: 5_000 },
      options: { upstream: 'ws://h/' },
    });
  });

  it('reads everything from a file, with paths relative to it', () => {
    const settings = read({
      $schema: './gateway.schema.json',
      listen: ':443',
      status: 'public',
      key: 'key.pem',
      cert: 'cert.pem',
      drain: 30_000,
      log: 'pretty',
      readiness: { interval: 1_000 },
      upstream: 'https://h/chat',
      tls: { ca: 'cert.pem', servername: 'h' },
      maxConnections: 5,
      maxMessageBytes: 1_000,
      connectTimeout: 1_000,
      pingLimit: { burst: 10 },
    });
    expect(settings).toEqual({
      place: { port: 443 },
      status: 'public',
      tls: { key: KEY, cert: CERT },
      within: 30_000,
      log: 'pretty',
      readiness: { interval: 1_000, timeout: 5_000 },
      options: {
        upstream: 'https://h/chat',
        tls: { ca: CERT, servername: 'h' },
        maxConnections: 5,
        maxMessageBytes: 1_000,
        connectTimeout: 1_000,
        pingLimit: { burst: 10 },
      },
    });
  });

  it('prefers the command line', () => {
    const file = { ...UPSTREAM, listen: 1, status: 2, drain: 3, log: 'pretty' };
    const flags = {
      listen: { port: 5 },
      upstream: 'ws://i/',
      status: false,
      drain: 6,
      log: 'json',
    };
    expect(read(file, flags)).toMatchObject({
      place: { port: 5 },
      status: false,
      within: 6_000,
      log: 'json',
      options: { upstream: 'ws://i/' },
    });
  });

  it.each([
    [
      'a key that nobody knows',
      { ...UPSTREAM, listn: 1 },
      /the key `listn` to be one of \$schema, /,
    ],
    [
      'a place that is none',
      { ...UPSTREAM, listen: 'here' },
      /`listen` .* got `"here"` \(string\)/,
    ],
    ['a status that is none', { ...UPSTREAM, status: true }, /`status` .* got `true` \(boolean\)/],
    [
      'a log that is none',
      { ...UPSTREAM, log: 'xml' },
      /`log` to be "json" or "pretty", got `"xml"`/,
    ],
    [
      'a drain of words',
      { ...UPSTREAM, drain: '9 s' },
      /`drain` to be a number of ms > 0, got `"9 s"`/,
    ],
    ['a readiness of seconds', { ...UPSTREAM, readiness: 5 }, /`readiness` .* got `5` \(number\)/],
    [
      'a timeout that is negative',
      { ...UPSTREAM, readiness: { timeout: -1 } },
      /`readiness.timeout` to be a number of ms > 0, got `-1`/,
    ],
    ['a limit of words', { ...UPSTREAM, maxConnections: 'x' }, /`maxConnections` .* got `"x"`/],
    ['a nested option', { ...UPSTREAM, pingLimit: { burst: 0 } }, /`.*burst` .* got `0`/],
    [
      'another upstream',
      { upstream: 'tcp://h' },
      /`upstream` to be a ws:\/\/.*, got another string/,
    ],
    ['no upstream', {}, /Missing upstream: pass --upstream or set it in the config file/],
    ['a certificate without a key', { ...UPSTREAM, cert: 'c' }, /Missing `key`: TLS needs both/],
    ['a key without a certificate', { ...UPSTREAM, key: 'k' }, /Missing `cert`: TLS needs both/],
    [
      'a file that is not there',
      { ...UPSTREAM, key: 'no.pem', cert: 'cert.pem' },
      /`key` to be the path of a PEM file that can be read \(ENOENT\), got `".*no\.pem"`/,
    ],
    [
      'a key that does not fit',
      { ...UPSTREAM, key: 'cert.pem', cert: 'cert.pem' },
      /`key` to be the key of `cert`, as PEM/,
    ],
    [
      'an authority that is not there',
      { ...UPSTREAM, tls: { ca: 'no.pem' } },
      /`tls\.ca` .*ENOENT/,
    ],
    ['what is no JSON', '{', /Expected JSON: \w/],
    ['a list', '[]', /Expected an object/],
  ])('names file, key, expectation and value for %s', (_, content, sentence) => {
    const message = messageOf(content);
    expect(message).toMatch(sentence);
    if (!message.startsWith('Missing')) expect(message).toContain(`${config}: `);
  });

  it.each(['key', 'cert', 'tls'])(
    'does not repeat a PEM text in place of the path of `%s`',
    (key) => {
      const pem = key === 'tls' ? { key: KEY } : KEY;
      const message = messageOf({ ...UPSTREAM, cert: 'cert.pem', key: 'key.pem', [key]: pem });
      expect(message).toMatch(
        /the path of a PEM file that can be read \(\w+\), got the text of a file/,
      );
      expect(message).not.toMatch(/BEGIN|\n/);
    },
  );

  it('does not quote the content of a file that is not JSON', () => {
    const message = messageOf('{ "headers": { "x-key": "SECRET" "other": 1 } }');
    expect(message).not.toMatch(/SECRET|x-key/);
  });

  it('names a file that is missing', () => {
    expect(() => readSettings({ config: '/no/such.json' })).toThrow('Cannot read /no/such.json');
  });
});

describe('configSchema', () => {
  it('has every option of a gateway that JSON can express', () => {
    const names = Object.entries({ ...GATEWAY_SCHEMA, ...HEADER_SCHEMA })
      .filter(([, { type }]) => (type as string) !== 'function')
      .map(([name]) => name);
    for (const name of names) expect(CONFIG_KEYS).toHaveProperty(name);
  });

  it('describes every key', () => {
    const { properties } = configSchema() as {
      properties: Record<string, { description: string }>;
    };
    for (const { description } of Object.values(properties)) expect(description).toMatch(/\w{3}/);
  });
});

describe('planOf', () => {
  it('says what the gateway would do, without secrets', () => {
    const settings = read({
      upstream: 'ws://me:SECRET@h',
      headers: { 'x-key': 'SECRET' },
      key: 'key.pem',
      cert: 'cert.pem',
      maxConnections: 5,
    });
    const plan = planOf(settings, config).join('\n');
    expect(plan).toContain('gateway.json is valid.');
    expect(plan).toMatch(/listens at +wss:\/\/\*:8080, certificate of localhost until .* 2120/);
    expect(plan).toMatch(/upstream +ws:\/\/h, with the path of the request/);
    expect(plan).toMatch(/status +http:\/\/127\.0\.0\.1:9090: \/healthz, \/readyz, \/metrics/);
    expect(plan).toMatch(/readiness +opens a WebSocket .* every 10000 ms/);
    expect(plan).toMatch(/headers +x-key/);
    expect(plan).toMatch(/maxConnections +5/);
    expect(plan).not.toContain('SECRET');
  });
});
