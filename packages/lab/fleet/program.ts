import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FromChild } from './parent.ts';

/** What a program tells by itself. `at` is its wall clock, with fractions: programs share it. */
export interface Fact {
  readonly name: string;
  readonly at: number;
  readonly client?: string;
  readonly detail: { readonly [name: string]: unknown };
}

const resolve = createRequire(import.meta.url).resolve;

/**
 * A program of the fleet in a process of its own, so that what is done to it is done to nothing else:
 * it can be stopped, killed and asked, and tells its facts. It ends with the process that runs it.
 *
 * It runs what has been built of it.
 */
export class Program {
  readonly facts: Fact[] = [];
  readonly #child: ChildProcess;
  readonly #answers: Map<number, (answer: unknown) => void> = new Map();
  #asked = 0;
  #look = (): void => {};

  /** `module` is one of the package: `@wirebeat/lab/fleet/server`. `flags` are those of Node. */
  constructor(module: string, settings: object, flags: readonly string[] = []) {
    const execArgv = ['--expose-gc', ...flags];
    this.#child = fork(resolve(module), [JSON.stringify(settings)], { execArgv });
    this.#child.on('message', (message: FromChild) => this.#hear(message));
    this.#child.on('error', () => {}); // an order to one that has ended
  }

  /** What it told under that name. */
  of(name: string): Fact[] {
    return this.facts.filter((fact) => fact.name === name);
  }

  /** Which clients it told that of. */
  clientsWith(name: string): Set<string> {
    return new Set(this.of(name).map(({ client = '' }) => client));
  }

  /** Gives it an order. Resolves to its answer; never, if it ends before. */
  ask<Answer>(order: string, given: object = {}): Promise<Answer> {
    this.#asked += 1;
    const id = this.#asked;
    const answer = new Promise<Answer>((found) => {
      this.#answers.set(id, found as (answer: unknown) => void);
    });
    this.#child.send({ id, order, given });
    return answer;
  }

  /** Resolves when that holds after a fact was told, or after `limit` ms, to whether it does. */
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

  /** SIGSTOP, SIGCONT, SIGKILL. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#child.kill(name);
  }

  /** Kills it. Resolves when it has ended. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #hear(message: FromChild): void {
    if ('fact' in message) {
      this.facts.push(message.fact);
      this.#look();
      return;
    }
    this.#answers.get(message.id)?.(message.answer);
    this.#answers.delete(message.id);
  }
}
