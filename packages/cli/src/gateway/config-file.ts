import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.ts';
import { CONFIG_KEYS } from './config-schema.ts';

/** A config file before its values are used. */
export interface ConfigFile {
  /** Empty if there is no file. */
  readonly path: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/**
 * Reads a config file. Without a path, returns one without content.
 *
 * @throws {ConfigError} if it cannot be read, is not a JSON object, or has an unknown key.
 */
export function readConfigFile(path: string | undefined): ConfigFile {
  if (path === undefined) return { path: '', content: {} };
  const content = objectOf(parse(path));
  if (content === undefined) throw new ConfigError(`${path}: Expected an object`);
  const unknown = Object.keys(content).find((key) => !(key in CONFIG_KEYS));
  if (unknown === undefined) return { path, content };
  const known = Object.keys(CONFIG_KEYS).join(', ');
  throw new ConfigError(`${path}: Expected the key \`${unknown}\` to be one of ${known}`);
}

function parse(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`Cannot read ${path}: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // Removes the text that V8 quotes, because it may contain a secret.
    const why = (error as Error).message.replace(/, (?:\.{3})?".*$/s, '');
    throw new ConfigError(`${path}: Expected JSON: ${why}`);
  }
}

/** Returns a value if it is an object that is not an array. */
export function objectOf(value: unknown): ConfigFile['content'] | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as ConfigFile['content']) : undefined;
}
