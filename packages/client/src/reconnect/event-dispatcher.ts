import { closeEvent, customEvent, errorEvent } from '../websocket-api/dom-events.ts';
import type { CloseRecord } from './close-record.ts';
import type { Logger } from './options.ts';

/** The events logged as warnings. All others are logged for debugging. */
const WARNINGS: readonly string[] = ['suspect', 'dead', 'unanswered', 'error', 'drop', 'giveup'];

/** Logs events, and then dispatches them on `target`. */
export class EventDispatcher {
  readonly #target: EventTarget;
  readonly #logger: Logger | undefined;

  constructor(target: EventTarget, logger: Logger | undefined) {
    this.#target = target;
    this.#logger = logger;
  }

  /** Dispatches a `CustomEvent` with `detail`. The log gets `shown` instead. */
  announce(name: string, detail: unknown, shown: unknown = detail): void {
    this.tell(customEvent(name, detail), shown);
  }

  failed(error: unknown): void {
    this.tell(errorEvent(error), error);
  }

  closed(record: CloseRecord): void {
    const { code, text: reason, wasClean } = record;
    this.tell(closeEvent({ code, reason, wasClean }), record);
  }

  tell(event: Event, shown?: unknown): void {
    const { type } = event;
    try {
      this.#logger?.[WARNINGS.includes(type) ? 'warn' : 'debug']?.(`wirebeat: ${type}`, shown);
    } catch (error) {
      report(error);
    }
    this.#target.dispatchEvent(event);
  }
}

/** Reports an error as an unhandled rejection, which every runtime shows. */
export function report(error: unknown): void {
  void Promise.reject(error);
}
