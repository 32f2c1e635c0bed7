import { InvalidOptionError } from '@wirebeat/core';
import { IS_DEVELOPMENT } from '../development.ts';
import type { Observer } from './events.ts';

/** Receives log messages; `console` is one. */
export interface Logger {
  debug?(message: string, details: unknown): void;
  warn?(message: string, details: unknown): void;
}

/** The events logged as warnings. All others are logged for debugging. */
const WARNINGS: readonly string[] = ['suspect', 'dead', 'unanswered', 'error', 'drop', 'giveup'];

/**
 * Returns an observer that logs events, for the `observe` option. Trouble is logged as a warning.
 * Messages of the application are never logged.
 *
 * @throws {InvalidOptionError} if `logger` is not an object.
 */
export function logTo(logger: Logger): Observer {
  if (IS_DEVELOPMENT && Object(logger) !== logger) {
    throw new InvalidOptionError('logger', 'an object such as `console`', logger);
  }
  return (...[name, detail]) => {
    const shown =
      name === 'drop' ? { count: detail.messages.length, reason: detail.reason } : detail;
    logger[WARNINGS.includes(name) ? 'warn' : 'debug']?.(`wirebeat: ${name}`, shown);
  };
}
