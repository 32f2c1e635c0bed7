import { InvalidOptionError, type Millis } from '@wirebeat/core';
import { createGateway, type GatewayOptions } from '@wirebeat/server/gateway';
import { type Place, place, upstreamUrl } from '../argument-parsers.ts';
import { type Certificate, readCertificate, readUpstreamTls } from './certificates.ts';
import { ConfigError } from './config-error.ts';
import { type ConfigFile, objectOf, readConfigFile } from './config-file.ts';
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
  readonly tls: Certificate | undefined;
  /** How long a drain may take. */
  readonly within: Millis;
  readonly log: LogFormat;
  readonly readiness: Readiness | false;
  readonly options: GatewayOptions & { readonly upstream: string };
}

const DEFAULTS = {
  listen: ':8080',
  status: '127.0.0.1:9090', // not where pages can reach it
  drain: 10_000,
  interval: 10_000,
  timeout: 5_000,
} as const;

/**
 * Reads the config file, if there is one, and merges it with the command line. Paths in the file are
 * relative to the file.
 *
 * @throws {ConfigError} if anything is invalid.
 */
export function readSettings(flags: GatewayFlags): GatewaySettings {
  const file = readConfigFile(flags.config);
  const reader = new Reader(file);
  const { $schema: _, listen: __, status: ___, key: ____, cert: _____, ...rest } = file.content;
  const { drain: ______, log, readiness: _______, tls: ________, upstream, ...options } = rest;
  const address = flags.upstream ?? upstream;
  if (address === undefined) {
    throw new ConfigError('Missing upstream: pass --upstream or set it in the config file');
  }
  if (flags.upstream === undefined) reader.check('upstream', (value) => upstreamUrl(String(value)));
  const settings = {
    place: flags.listen ?? reader.place('listen', DEFAULTS.listen),
    status: flags.status ?? reader.status(),
    tls: readCertificate(file),
    within:
      flags.drain === undefined ? reader.duration('drain', DEFAULTS.drain) : flags.drain * 1000,
    log: flags.log ?? reader.choice('log', ['json', 'pretty'] as const),
    readiness: reader.readiness(),
    options: { ...options, ...readUpstreamTls(file), upstream: String(address) },
  };
  reader.checkOptions(settings.options);
  return settings;
}

/** Reads the values of a config file. Every method throws a {@link ConfigError}. */
class Reader {
  readonly #path: string;
  readonly #content: ConfigFile['content'];

  constructor({ path, content }: ConfigFile) {
    this.#path = path;
    this.#content = content;
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

  #error(key: string, expected?: string, value: unknown = this.#content[key]): ConfigError {
    return ConfigError.unexpected(this.#path, key, value, expected);
  }
}

function durationOf(value: unknown): Millis {
  if (typeof value === 'number' && value > 0 && value < 2 ** 31) return value;
  throw new Error();
}
