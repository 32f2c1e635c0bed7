import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../src/gateway/config.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  path = join(folder, 'gateway.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('readConfig', () => {
  it('parts where to listen, and with which certificate, from what the gateway is told', () => {
    const options = { upstream: 'ws://h', maxConnections: 5 };
    writeFileSync(
      path,
      JSON.stringify({ listen: '127.0.0.1:80', key: 'key.pem', cert: '/c', ...options }),
    );
    expect(readConfig(path)).toEqual({
      listen: '127.0.0.1:80',
      key: join(folder, 'key.pem'),
      cert: '/c',
      options,
    });
  });

  it.each([
    ['nothing', '', /is no JSON/],
    ['a list', '[]', /must have an object/],
    ['a place that is none', '{ "listen": "here" }', /`listen` in .*a port, or host:port/],
    ['a status that is none', '{ "status": true }', /`status` in .*a port, or host:port/],
    ['a certificate without a key', '{ "cert": "c" }', /Missing `key` in .*json: TLS needs both/],
    ['a key without a certificate', '{ "key": "k" }', /Missing `cert` in .*json: TLS needs both/],
    ['a key that is no file', '{ "key": 5, "cert": "c" }', /`key` in .* the name of a file/],
    ['an empty certificate', '{ "key": "k", "cert": "" }', /`cert` in .* the name of a file/],
  ])('says what is wrong with %s', (_, text, sentence) => {
    writeFileSync(path, text);
    expect(() => readConfig(path)).toThrow(ConfigError);
    expect(() => readConfig(path)).toThrow(sentence);
  });

  it('does not quote what stands in a file that is no JSON', () => {
    writeFileSync(path, '{ "headers": { "x-key": "SECRET" "other": 1 } }');
    const message = (() => {
      try {
        readConfig(path);
      } catch (error) {
        return (error as Error).message;
      }
      return undefined;
    })();
    expect(message).toMatch(/is no JSON: \w/);
    expect(message).not.toMatch(/SECRET|x-key/);
  });

  it.each([
    [9090, { port: 9090 }],
    ['127.0.0.1:9090', { host: '127.0.0.1', port: 9090 }],
    [false, false],
  ])('reads %j as the place of the status', (status, expected) => {
    writeFileSync(path, JSON.stringify({ status }));
    expect(readConfig(path)).toEqual({ status: expected, options: {} });
  });

  it('says which file is not there', () => {
    expect(() => readConfig(path)).toThrow(`Cannot read ${path}`);
  });
});
