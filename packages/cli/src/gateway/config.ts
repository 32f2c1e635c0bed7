import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { GatewayOptions } from '@wirebeat/server/gateway';
import { type Place, place } from '../arguments.ts';

/**
 * The content of a config file: where to listen, and the options of `createGateway` that JSON can
 * express.
 */
export interface GatewayConfig {
  /** Port, or host and port: `8080`, `"8080"` or `"127.0.0.1:8080"`. */
  readonly listen?: number | string;
  /** Where to serve `/healthz` and `/metrics`. `false`: nowhere. */
  readonly status?: Place | false;
  /** PEM files with the key and the certificate. Set both to serve `wss:`, or neither. */
  readonly key?: string;
  readonly cert?: string;
  readonly options: Partial<GatewayOptions>;
}

/** An error in a config file. Its message is a complete sentence. */
export class ConfigError extends Error {}

/**
 * Reads a JSON config file. Paths of the key and the certificate are relative to the file.
 *
 * @throws {ConfigError} if the file cannot be read or is invalid.
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

/**
 * Checks that `key` and `cert` come together: with only one, the gateway would serve without TLS
 * unnoticed.
 */
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

/**
 * Returns the text of a file.
 *
 * @throws {ConfigError} if the file cannot be read.
 */
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
    // Removes the text that V8 quotes, because it may contain a secret.
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
