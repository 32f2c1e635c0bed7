import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FromChild } from './parent.ts';

/** A fact that a program reports. `at` is its wall clock with fractions, which all programs share. */
export interface Fact {
  readonly name: string;
  readonly at: number;
  readonly client?: string;
  readonly detail: { readonly [name: string]: unknown };
}

const resolve = createRequire(import.meta.url).resolve;

/**
 * A program of the fleet in a separate process, so that faults affect only this program. It can be
 * stopped, killed and given orders, and reports facts. It ends with the parent process.
 *
 * It runs the built code.
 */
export class Program {
  readonly facts: Fact[] = [];
  /** Receives each fact instead of `facts`, which would grow without end in a long run. */
  onFact: ((fact: Fact) => void) | undefined;
  readonly #child: ChildProcess;
  readonly #answers: Map<number, (answer: unknown) => void> = new Map();
  #asked = 0;
  #look = (): void => {};

  /**
   * `module` is a module of the package, such as `@wirebeat/lab/fleet/server`. `flags` are Node flags.
   */
  constructor(module: string, settings: object, flags: readonly string[] = []) {
    const execArgv = ['--expose-gc', ...flags];
    this.#child = fork(resolve(module), [JSON.stringify(settings)], { execArgv });
    this.#child.on('message', (message: FromChild) => this.#hear(message));
    this.#child.on('error', () => {}); // an order to a program that has ended
  }

  /** Returns the facts of this name. */
  of(name: string): Fact[] {
    return this.facts.filter((fact) => fact.name === name);
  }

  /** Returns the clients that these facts name. */
  clientsWith(name: string): Set<string> {
    return new Set(this.of(name).map(({ client = '' }) => client));
  }

  /** Sends an order. Resolves to its answer; never resolves if the program ends before. */
  ask<Answer>(order: string, given: object = {}): Promise<Answer> {
    this.#asked += 1;
    const id = this.#asked;
    const answer = new Promise<Answer>((found) => {
      this.#answers.set(id, found as (answer: unknown) => void);
    });
    this.#child.send({ id, order, given });
    return answer;
  }

  /** Waits until `holds()` is true after a fact, for at most `limit` ms. Resolves to whether it is. */
  async until(holds: () => boolean, limit: number): Promise<boolean> {
    const late = new AbortController();
    const held = new Promise<void>((found) => {
      this.#look = () => {
        if (holds()) found();
      };
      this.#look();
    });
    await Promise.race([held, sleep(limit, undefined, late).catch(() => {})]);
    late.abort();
    this.#look = () => {};
    return holds();
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Sends a signal. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#child.kill(name);
  }

  /** Kills the program. Resolves when it has ended. */
  async end(): Promise<void> {
    if (this.hasEnded) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #hear(message: FromChild): void {
    if ('fact' in message) {
      if (this.onFact === undefined || message.fact.name === 'listening') {
        this.facts.push(message.fact);
      }
      this.onFact?.(message.fact);
      this.#look();
      return;
    }
    this.#answers.get(message.id)?.(message.answer);
    this.#answers.delete(message.id);
  }
}
