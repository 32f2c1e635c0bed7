import { type ReconnectEvent, report } from './events.ts';
import type { Logger } from './options.ts';

/** The events logged as warnings. All others are logged for debugging. */
const WARNINGS: readonly string[] = ['suspect', 'dead', 'unanswered', 'error', 'drop', 'giveup'];

/** Returns a function that logs events, without the messages of the application. */
export function logTo(logger: Logger): (...event: ReconnectEvent) => void {
  return (...[name, detail]) => {
    const shown =
      name === 'drop' ? { count: detail.messages.length, reason: detail.reason } : detail;
    try {
      logger[WARNINGS.includes(name) ? 'warn' : 'debug']?.(`wirebeat: ${name}`, shown);
    } catch (error) {
      report(error); // an error in the logger must not stop the event
    }
  };
}
