import { CONFIG_KEYS } from './config-schema.ts';

/** Keys with values that may be secret. Their texts are not repeated in errors. */
const SECRET: ReadonlySet<string> = new Set(['upstream', 'headers', 'tls']);

/** A key or certificate in place of its path. */
const PASTED = /-----BEGIN|\n/;

/** An error in the command line or in a config file. Its message is a sentence. */
export class ConfigError extends Error {
  /** Says that the value of a key is not what is expected. `file` is empty if there is none. */
  static unexpected(
    file: string,
    key: string,
    value: unknown,
    expected: string = CONFIG_KEYS[key]?.expected ?? 'valid',
  ): ConfigError {
    const where = file === '' ? '' : `${file}: `;
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
  if (typeof value === 'string' && PASTED.test(value)) return 'the text of a file';
  if (SECRET.has(top) && isText && !key.includes('.')) return `another ${typeof value}`;
  return `\`${JSON.stringify(value)}\` (${typeof value})`;
}
