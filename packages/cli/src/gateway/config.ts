import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { InvalidOptionError, type Millis } from '@wirebeat/core';
import { createGateway, type GatewayOptions } from '@wirebeat/server/gateway';
import { type Place, place, upstreamUrl } from '../arguments.ts';
import { CONFIG_KEYS } from './config-schema.ts';
import type { LogFormat } from './log.ts';

/** What the command line says about the gateway. It takes precedence over the file. */
export interface GatewayFlags {
  readonly listen?: Place;
  readonly upstream?: string;
  readonly status?: Place | 'public' | false;
  readonly config?: string;
  /** In seconds. */
  readonly drain?: number;
  readonly log?: LogFormat;
}

/** How the gateway checks whether the upstream is ready. Durations are in ms. */
export interface Readiness {
  readonly interval: Millis;
  readonly timeout: Millis;
}

/** Everything that `wirebeat gateway` needs. */
export interface GatewaySettings {
  readonly place: Place;
  /** Where to serve the status pages. `public`: on the port of the WebSockets; `false`: nowhere. */
  readonly status: Place | 'public' | false;
  /** Key and certificate as PEM. */
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  /** How long a drain may take. */
  readonly within: Millis;
  readonly log: LogFormat;
  readonly readiness: Readiness | false;
  readonly options: GatewayOptions & { readonly upstream: string };
}

/** An error in the command line or in a config file. Its message is a sentence. */
export class ConfigError extends Error {}

const DEFAULTS = {
  listen: ':8080',
  status: '127.0.0.1:9090', // not where pages can reach it
  drain: 10_000,
  interval: 10_000,
  timeout: 5_000,
} as const;

/** Keys with values that may be secret. Their texts are not repeated in errors. */
const SECRET: ReadonlySet<string> = new Set(['upstream', 'headers', 'tls']);

/** The content of a config file, before its values are used. */
type Content = Readonly<Record<string, unknown>>;

/**
 * Reads the config file, if there is one, and merges it with the command line. Paths in the file are
 * relative to the file.
 *
 * @throws {ConfigError} if anything is invalid.
 */
export function readSettings(flags: GatewayFlags): GatewaySettings {
  const file = flags.config;
  const content = file === undefined ? {} : parse(file);
  const reader = new Reader(file ?? '', content);
  const { $schema: _, listen: __, status: ___, key: ____, cert: _____, ...rest } = content;
  const { drain: ______, log, readiness: _______, tls: ________, upstream, ...options } = rest;
  const address = flags.upstream ?? upstream;
  if (address === undefined) {
    throw new ConfigError('Missing upstream: pass --upstream or set it in the config file');
  }
  if (flags.upstream === undefined) reader.check('upstream', (value) => upstreamUrl(String(value)));
  const settings = {
    place: flags.listen ?? reader.place('listen', DEFAULTS.listen),
    status: flags.status ?? reader.status(),
    tls: reader.certificate(),
    within:
      flags.drain === undefined ? reader.duration('drain', DEFAULTS.drain) : flags.drain * 1000,
    log: flags.log ?? reader.choice('log', ['json', 'pretty'] as const),
    readiness: reader.readiness(),
    options: { ...options, ...reader.upstreamTls(), upstream: String(address) },
  };
  reader.checkOptions(settings.options);
  return settings;
}

/** Reads the values of a config file. Every method throws a {@link ConfigError}. */
class Reader {
  readonly #file: string;
  readonly #content: Content;

  constructor(file: string, content: Content) {
    this.#file = file;
    this.#content = content;
    const unknown = Object.keys(content).find((key) => !(key in CONFIG_KEYS));
    if (unknown !== undefined) {
      const known = Object.keys(CONFIG_KEYS).join(', ');
      throw new ConfigError(`${file}: Expected the key \`${unknown}\` to be one of ${known}`);
    }
  }

  /** Runs `parse` with the value of a key. Returns `undefined` if the file does not have it. */
  check<Value>(key: string, parse: (value: unknown) => Value): Value | undefined {
    const value = this.#content[key];
    if (value === undefined) return undefined;
    try {
      return parse(value);
    } catch {
      throw this.#error(key);
    }
  }

  place(key: string, otherwise: string): Place {
    return this.check(key, (value) => place(String(value))) ?? place(otherwise);
  }

  status(): GatewaySettings['status'] {
    const { status } = this.#content;
    return status === false || status === 'public' ? status : this.place('status', DEFAULTS.status);
  }

  duration(key: string, otherwise: Millis): Millis {
    const value = this.check(key, durationOf);
    return value ?? otherwise;
  }

  choice<Choice extends string>(key: string, of: readonly [Choice, ...Choice[]]): Choice {
    const found = this.check(key, (value) => {
      const choice = of.find((one) => one === value);
      if (choice === undefined) throw new Error();
      return choice;
    });
    return found ?? of[0];
  }

  readiness(): Readiness | false {
    const { readiness = {} } = this.#content;
    if (readiness === false) return false;
    const { interval, timeout, ...rest } = objectOf(readiness) ?? { unknown: true };
    if (Object.keys(rest).length > 0) throw this.#error('readiness');
    return {
      interval: this.#durationIn('readiness.interval', interval, DEFAULTS.interval),
      timeout: this.#durationIn('readiness.timeout', timeout, DEFAULTS.timeout),
    };
  }

  /**
   * Reads `key` and `cert`. They must come together: with only one, the gateway would serve without TLS
   * unnoticed.
   */
  certificate(): GatewaySettings['tls'] {
    const { key, cert } = this.#content;
    if (key === undefined && cert === undefined) return undefined;
    const missing = key === undefined ? 'key' : cert === undefined ? 'cert' : undefined;
    if (missing !== undefined) {
      throw new ConfigError(
        `${this.#file}: Missing \`${missing}\`: TLS needs both \`key\` and \`cert\``,
      );
    }
    const tls = { key: this.#readFile('key', key), cert: this.#readFile('cert', cert) };
    try {
      createSecureContext(tls);
    } catch (error) {
      throw this.#error('key', `the key of \`cert\`, as PEM (${(error as Error).message})`);
    }
    return tls;
  }

  /** Reads `tls`, in which `ca`, `cert` and `key` are paths. */
  upstreamTls(): Pick<GatewayOptions, 'tls'> {
    const { tls } = this.#content;
    if (tls === undefined) return {};
    const given = objectOf(tls);
    if (given === undefined) throw this.#error('tls');
    const read = Object.entries(given).map(([name, value]) => {
      if (name !== 'ca' && name !== 'cert' && name !== 'key') return [name, value];
      const paths = name === 'ca' && Array.isArray(value) ? value : [value];
      return [name, paths.map((path) => this.#readFile(`tls.${name}`, path)).join('\n')];
    });
    return { tls: Object.fromEntries(read) };
  }

  /** Checks the options of `createGateway`. */
  checkOptions(options: GatewayOptions): void {
    try {
      createGateway(options);
    } catch (error) {
      if (!(error instanceof InvalidOptionError)) throw error;
      const { option, expected, value } = error;
      throw this.#error(this.#keyOf(option), expected, value);
    }
  }

  /** Returns the key of an option that may be part of an object, such as `pingLimit.burst`. */
  #keyOf(option: string): string {
    if (option in CONFIG_KEYS) return option;
    const parent = Object.entries(this.#content).find(
      ([, value]) => option in (objectOf(value) ?? {}),
    );
    return parent === undefined ? option : `${parent[0]}.${option}`;
  }

  #durationIn(key: string, value: unknown, otherwise: Millis): Millis {
    if (value === undefined) return otherwise;
    try {
      return durationOf(value);
    } catch {
      throw this.#error(key, 'a number of ms > 0', value);
    }
  }

  #readFile(key: string, path: unknown): string {
    if (typeof path !== 'string' || path === '')
      throw this.#error(key, 'the path of a PEM file', path);
    const full = resolve(dirname(this.#file), path);
    try {
      return readFileSync(full, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw this.#error(key, `the path of a PEM file that can be read (${code})`, full);
    }
  }

  #error(
    key: string,
    expected: string = CONFIG_KEYS[key]?.expected ?? 'valid',
    value: unknown = this.#content[key],
  ): ConfigError {
    const where = this.#file === '' ? '' : `${this.#file}: `;
    return new ConfigError(
      `${where}Expected \`${key}\` to be ${expected}, got ${gotOf(key, value)}`,
    );
  }
}

/** Formats a value, without texts that may be secret. */
function gotOf(key: string, value: unknown): string {
  const top = key.split('.')[0] as string;
  const isText = typeof value === 'string' || typeof value === 'object';
  if (value === undefined) return 'nothing';
  if (SECRET.has(top) && isText && !key.includes('.')) return `another ${typeof value}`;
  return `\`${JSON.stringify(value)}\` (${typeof value})`;
}

function durationOf(value: unknown): Millis {
  if (typeof value === 'number' && value > 0 && value < 2 ** 31) return value;
  throw new Error();
}

function objectOf(value: unknown): Content | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Content) : undefined;
}

function parse(file: string): Content {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`Cannot read ${file}: ${(error as Error).message}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Removes the text that V8 quotes, because it may contain a secret.
    const why = (error as Error).message.replace(/, (?:\.{3})?".*$/s, '');
    throw new ConfigError(`${file}: Expected JSON: ${why}`);
  }
  const content = objectOf(value);
  if (content === undefined) throw new ConfigError(`${file}: Expected an object`);
  return content;
}
