import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { GatewayOptions } from '@wirebeat/server/gateway';
import { type Place, place } from './arguments.ts';

/** What a file may say: where to listen, and the options of `createGateway` that are data. */
export interface GatewayConfig {
  /** `8080`, `"8080"` or `"127.0.0.1:8080"`. */
  readonly listen?: number | string;
  /** Where `/healthz` and `/metrics` are; `false`: nowhere. */
  readonly status?: Place | false;
  /** Files with the key and the certificate, in PEM: both, and then it serves `wss:`, or neither. */
  readonly key?: string;
  readonly cert?: string;
  readonly options: Partial<GatewayOptions>;
}

/** A sentence about a file of settings. */
export class ConfigError extends Error {}

/**
 * Reads a file of JSON. What is about TLS is read too, from beside it.
 *
 * @throws {ConfigError} if it cannot be read, or is none.
 */
export function readConfig(path: string): GatewayConfig {
  const { listen, status, key, cert, ...options } = parse(path);
  if (listen !== undefined) readPlace(path, 'listen', listen);
  return {
    ...(listen !== undefined && { listen: listen as number | string }),
    ...(status !== undefined && {
      status: status === false ? status : readPlace(path, 'status', status),
    }),
    ...readTls(path, { key, cert }),
    options: options as Partial<GatewayOptions>,
  };
}

/** Half a pair would be served without TLS, and nobody would notice. */
function readTls(
  path: string,
  { key, cert }: { key: unknown; cert: unknown },
): { key: string; cert: string } | undefined {
  if (key === undefined && cert === undefined) return undefined;
  const fileOf = (name: string, file: unknown): string => {
    if (typeof file === 'string' && file !== '') return resolve(dirname(path), file);
    throw new ConfigError(
      file === undefined
        ? `Missing \`${name}\` in ${path}: TLS needs both \`key\` and \`cert\``
        : `\`${name}\` in ${path} must be the name of a file`,
    );
  };
  return { key: fileOf('key', key), cert: fileOf('cert', cert) };
}

/** The text of a file, or a sentence. */
export function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`Cannot read ${path}: ${(error as Error).message}`);
  }
}

function parse(path: string): Record<string, unknown> {
  const text = readFile(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // What V8 quotes of the text may be a secret.
    const why = (error as Error).message.replace(/, (?:\.{3})?".*$/s, '');
    throw new ConfigError(`${path} is no JSON: ${why}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new ConfigError(`${path} must have an object`);
}

function readPlace(path: string, name: string, value: unknown): Place {
  try {
    return place(String(value));
  } catch (error) {
    throw new ConfigError(`\`${name}\` in ${path}: ${(error as Error).message}`);
  }
}
