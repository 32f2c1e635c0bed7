import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { GatewayOptions } from '@wirebeat/server/gateway';
import { place } from './arguments.ts';

/** What a file may say: where to listen, and the options of `createGateway` that are data. */
export interface GatewayConfig {
  /** `8080`, `"8080"` or `"127.0.0.1:8080"`. */
  readonly listen?: number | string;
  /** Files with the key and the certificate, in PEM: then it serves `wss:`. */
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
  const { listen, key, cert, ...options } = parse(path);
  const beside = (file: unknown) =>
    typeof file === 'string' ? resolve(dirname(path), file) : undefined;
  if (listen !== undefined) checkListen(path, listen);
  const [keyPath, certPath] = [beside(key), beside(cert)];
  return {
    ...(listen !== undefined && { listen: listen as number | string }),
    ...(keyPath !== undefined && { key: keyPath }),
    ...(certPath !== undefined && { cert: certPath }),
    options: options as Partial<GatewayOptions>,
  };
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
    throw new ConfigError(`${path} is no JSON: ${(error as Error).message}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new ConfigError(`${path} must have an object`);
}

function checkListen(path: string, listen: unknown): void {
  try {
    place(String(listen));
  } catch (error) {
    throw new ConfigError(`\`listen\` in ${path}: ${(error as Error).message}`);
  }
}
