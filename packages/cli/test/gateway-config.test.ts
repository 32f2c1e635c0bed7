import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/gateway-config.ts';

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
  ])('says what is wrong with %s', (_, text, sentence) => {
    writeFileSync(path, text);
    expect(() => readConfig(path)).toThrow(ConfigError);
    expect(() => readConfig(path)).toThrow(sentence);
  });

  it('says which file is not there', () => {
    expect(() => readConfig(path)).toThrow(`Cannot read ${path}`);
  });
});
