import type { Instant, Millis, Scheduler } from '@wirebeat/core';

/** What a node asks its registry. */
export type RegistryOperation =
  | 'renew'
  | 'claim'
  | 'release'
  | 'held'
  | 'remove'
  | 'listen'
  | 'send'
  | 'find'
  | 'users'
  | 'changes';

/** One call of a registry. */
export interface RegistryCall {
  readonly operation: RegistryOperation;
  /** `lost`: the node has lost its lease. `failed`: an error, or no answer in time. */
  readonly outcome: 'ok' | 'lost' | 'failed';
  /** In ms. */
  readonly duration: Millis;
  /** What the call failed with. */
  readonly error?: unknown;
}

/** Resolves to `undefined` if the node has lost its lease. */
export type Answer<Value> = { readonly value: Value | undefined } | undefined;

/**
 * Calls the registry and reports each call. Redis clients may queue a call for as long as Redis is
 * away, so a call without an answer counts as failed after `limit`.
 */
export class RegistryCaller {
  readonly #scheduler: Scheduler;
  readonly #limit: Millis;
  readonly #report: (call: RegistryCall) => void;

  constructor(scheduler: Scheduler, limit: Millis, report: (call: RegistryCall) => void) {
    this.#scheduler = scheduler;
    this.#limit = limit;
    this.#report = report;
  }

  /** Resolves to the answer, or to `undefined` if the call has failed. Never rejects. */
  async ask<Value>(
    operation: RegistryOperation,
    call: () => PromiseLike<Value | undefined>,
  ): Promise<Answer<Value>> {
    try {
      return { value: await this.demand(operation, call) };
    } catch {
      return undefined; // it has been reported
    }
  }

  /** Resolves to the answer. Rejects if the call fails. */
  async demand<Value>(
    operation: RegistryOperation,
    call: () => PromiseLike<Value>,
  ): Promise<Value> {
    const start = this.#scheduler.now();
    try {
      const value = await this.#within(call);
      const isLost = value === undefined && (operation === 'renew' || operation === 'claim');
      this.#done(operation, isLost ? 'lost' : 'ok', start);
      return value;
    } catch (error) {
      this.#done(operation, 'failed', start, error);
      throw error;
    }
  }

  #within<Value>(call: () => PromiseLike<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const timer = this.#scheduler.at(this.#scheduler.now() + this.#limit, () => {
        reject(new Error(`The registry has not answered within ${this.#limit} ms.`));
      });
      const settled = <Of>(settle: (value: Of) => void) => {
        return (value: Of) => {
          timer.cancel();
          settle(value);
        };
      };
      new Promise<Value>((done) => done(call())).then(settled(resolve), settled(reject));
    });
  }

  #done(
    operation: RegistryOperation,
    outcome: RegistryCall['outcome'],
    start: Instant,
    error?: unknown,
  ): void {
    const duration = this.#scheduler.now() - start;
    this.#report({ operation, outcome, duration, ...(outcome === 'failed' && { error }) });
  }
}
