import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { GatewayOptions } from '@wirebeat/server/gateway';
import { ConfigError } from './config-error.ts';
import { type ConfigFile, objectOf } from './config-file.ts';

/** Key and certificate as PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/**
 * Reads the files that `key` and `cert` name. They must come together: with only one, the gateway would
 * serve without TLS unnoticed.
 *
 * @throws {ConfigError} if one is missing, or if they do not belong together.
 */
export function readCertificate(file: ConfigFile): Certificate | undefined {
  const { key, cert } = file.content;
  if (key === undefined && cert === undefined) return undefined;
  const missing = key === undefined ? 'key' : cert === undefined ? 'cert' : undefined;
  if (missing !== undefined) {
    throw new ConfigError(
      `${file.path}: Missing \`${missing}\`: TLS needs both \`key\` and \`cert\``,
    );
  }
  const tls = { key: readPem(file, 'key', key), cert: readPem(file, 'cert', cert) };
  try {
    createSecureContext(tls);
  } catch (error) {
    const expected = `the key of \`cert\`, as PEM (${(error as Error).message})`;
    throw ConfigError.unexpected(file.path, 'key', key, expected);
  }
  return tls;
}

/** Reads `tls`, in which `ca`, `cert` and `key` are paths. @throws {ConfigError} if it is invalid. */
export function readUpstreamTls(file: ConfigFile): Pick<GatewayOptions, 'tls'> {
  const { tls } = file.content;
  if (tls === undefined) return {};
  const given = objectOf(tls);
  if (given === undefined) throw ConfigError.unexpected(file.path, 'tls', tls);
  const read = Object.entries(given).map(([name, value]) => {
    if (name !== 'ca' && name !== 'cert' && name !== 'key') return [name, value];
    const paths = name === 'ca' && Array.isArray(value) ? value : [value];
    return [name, paths.map((path) => readPem(file, `tls.${name}`, path)).join('\n')];
  });
  return { tls: Object.fromEntries(read) };
}

/** Reads a file whose path is relative to the config file. */
function readPem(file: ConfigFile, key: string, path: unknown): string {
  if (typeof path !== 'string' || path === '')
    throw ConfigError.unexpected(file.path, key, path, 'the path of a PEM file');
  const full = resolve(dirname(file.path), path);
  try {
    return readFileSync(full, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const expected = `the path of a PEM file that can be read (${code})`;
    throw ConfigError.unexpected(file.path, key, full, expected);
  }
}
