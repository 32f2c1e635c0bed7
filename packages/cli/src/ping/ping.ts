import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '@wirebeat/core';
import { type Dialled, dial, type Target } from '../connection/dial.ts';
import { DialError } from '../connection/dial-error.ts';
import { createProber, type Prober, pingId, type Tier } from '../connection/prober.ts';
import { safeText } from '../safe-text.ts';
import type { Terminal } from '../terminal.ts';
import { describeEnd, type End, patternOf } from './connection-ends.ts';
import { Pace } from './pace.ts';
import { jsonReport, type Report, textReport } from './report.ts';
import { PingStatistics } from './statistics.ts';

/** The arguments of `wirebeat ping`. Durations are in ms. */
export interface PingCommand extends Target {
  readonly tier: Tier;
  /** Number of pings. `Infinity`: pings until stopped. */
  readonly count: number;
  /** Time in ms after which the run ends, whatever was answered. `undefined`: no limit. */
  readonly deadline: Millis | undefined;
  /** Time between pings; longer if a pong takes longer. */
  readonly interval: Millis;
  /** Size of each ping in bytes; `undefined`: as small as possible. */
  readonly size: number | undefined;
  /** Whether to connect again when the connection ends. */
  readonly reconnects: boolean;
  /** Whether to print only the summary. */
  readonly isQuiet: boolean;
  /** Whether to print the time before each line. */
  readonly stamps: boolean;
  readonly json: boolean;
}

/** Shortest time between two attempts to connect. */
const RECONNECT_WAIT: Millis = 1_000;

/**
 * Pings the server at `command.url`, prints one line per pong, then a summary. Aborting `stop` ends
 * the run early.
 *
 * Resolves to the exit code: 0 if every ping was answered in time, 1 if one was not or a connection
 * failed.
 */
export function ping(command: PingCommand, terminal: Terminal, stop: AbortSignal): Promise<0 | 1> {
  return new PingRun(command, terminal, stop).run();
}

/** A ping that was sent. */
interface Sent {
  readonly seq: number;
  readonly at: number;
  /** Called with the latency when the pong arrives in time. */
  readonly answered: (latency: Millis) => void;
  isOverdue: boolean;
}

/** One run of the command, over one connection or several. */
class PingRun {
  readonly #command: PingCommand;
  readonly #terminal: Terminal;
  readonly #deadline: AbortSignal;
  /** Aborts at the deadline, or when the user stops the run. */
  readonly #stop: AbortSignal;
  readonly #url: string;
  readonly #report: Report;
  readonly #statistics: PingStatistics = new PingStatistics();
  readonly #pace: Pace = new Pace();
  readonly #ends: End[] = [];
  readonly #sent: Map<string, Sent> = new Map();
  #seq = 0;
  #wasOpen = false;
  #hasFailed = false;
  #firstPing: Millis | undefined;
  #isSlowed = false;

  constructor(command: PingCommand, terminal: Terminal, stop: AbortSignal) {
    this.#command = command;
    this.#terminal = terminal;
    const { deadline } = command;
    this.#deadline =
      deadline === undefined ? new AbortController().signal : AbortSignal.timeout(deadline);
    this.#stop = AbortSignal.any([stop, this.#deadline]);
    this.#url = safeText(command.url);
    this.#report = command.json
      ? jsonReport(this.#url)
      : textReport(this.#url, terminal.look, command.stamps);
  }

  async run(): Promise<0 | 1> {
    const { reconnects } = this.#command;
    do {
      const due = performance.now() + RECONNECT_WAIT;
      await this.#connectOnce();
      if (reconnects && !this.#isDone) await this.#pause(due);
    } while (reconnects && !this.#isDone);
    return this.#sumUp();
  }

  get #isDone(): boolean {
    return this.#stop.aborted || this.#seq >= this.#command.count;
  }

  /** Pings on one connection until it ends or everything is sent. */
  async #connectOnce(): Promise<void> {
    try {
      const dialled = await dial(this.#command, this.#stop);
      this.#wasOpen = true;
      this.#print(this.#report.opened(dialled.address, dialled.times));
      await this.#pingOn(dialled);
    } catch (error) {
      if (this.#stop.aborted) return;
      if (!(error instanceof DialError)) throw error;
      this.#fail(this.#report.failed?.(error), `no connection to ${this.#url}: ${error.message}`);
      if (error.hint !== undefined) this.#terminal.complain(error.hint);
    }
  }

  async #pingOn({ socket }: Dialled): Promise<void> {
    const ended = new AbortController();
    const activity = new Activity();
    for (const event of ['message', 'ping', 'pong'] as const) {
      socket.on(event, () => activity.happened());
    }
    socket.on('error', () => {}); // `close` follows
    socket.once('close', (code, reason) => {
      if (!ended.signal.aborted) this.#closed({ ...activity.end, code, text: String(reason) });
      ended.abort();
    });
    const { tier, size } = this.#command;
    const prober = createProber(socket, tier, (id) => this.#answered(id), size);
    const end = AbortSignal.any([this.#stop, ended.signal]);
    await this.#pingInTurn(prober, activity, end);
    this.#sent.clear();
    if (ended.signal.aborted) return;
    ended.abort(); // what follows was asked for
    socket.close();
    setTimeout(() => socket.terminate(), RECONNECT_WAIT).unref();
  }

  /** Sends one ping at a time, so that pings do not affect each other's latency. */
  async #pingInTurn(prober: Prober, activity: Activity, end: AbortSignal): Promise<void> {
    const { interval, timeout } = this.#command;
    const isReady = await within(prober.ready, timeout, end);
    while (!this.#isDone && !end.aborted) {
      const now = performance.now();
      const paced = this.#pace.next(now);
      const due = Math.max(now + interval, paced);
      if (paced > now + interval) this.#saySlowed();
      await this.#pingOnce(prober, isReady, activity, end);
      if (!this.#isDone) await this.#pause(due, end);
    }
  }

  async #pingOnce(
    prober: Prober,
    isReady: boolean,
    activity: Activity,
    end: AbortSignal,
  ): Promise<void> {
    const { timeout } = this.#command;
    this.#seq += 1;
    const seq = this.#seq;
    const id = pingId();
    this.#statistics.sent += 1;
    let latency: Millis | undefined;
    const pong = new Promise<void>((resolve) => {
      const answered = (time: Millis): void => {
        latency = time;
        resolve();
      };
      this.#sent.set(id, { seq, at: performance.now(), answered, isOverdue: false });
    });
    if (isReady && prober.ping(id)) activity.happened();
    await within(pong, timeout, end);
    if (latency !== undefined) {
      this.#firstPing ??= latency;
      this.#statistics.receive(latency);
      this.#print(this.#report.pong(seq, latency));
    } else if (end.aborted) {
      if (this.#stop.aborted) this.#statistics.sent -= 1; // neither answered nor overdue
    } else {
      this.#overdue(id, seq);
    }
  }

  #overdue(id: string, seq: number): void {
    const sent = this.#sent.get(id);
    if (sent !== undefined) sent.isOverdue = true;
    this.#print(this.#report.silence(seq, this.#command.timeout));
  }

  #answered(id: string): void {
    const sent = this.#sent.get(id);
    if (sent === undefined) return;
    this.#sent.delete(id);
    const latency = performance.now() - sent.at;
    if (!sent.isOverdue) return sent.answered(latency);
    this.#statistics.late += 1;
    this.#statistics.receive(latency);
    this.#firstPing ??= latency;
    this.#print(this.#report.late(sent.seq, latency));
  }

  #closed(end: End): void {
    this.#ends.push(end);
    const sentence = `the connection to ${this.#url} was closed: ${describeEnd(end)}`;
    this.#fail(this.#report.closed?.(end), sentence);
  }

  /** Reports a failure: to programs on standard output, to people on standard error. */
  #fail(line: string | undefined, sentence: string): void {
    this.#hasFailed = true;
    if (line !== undefined) this.#terminal.print(line);
    this.#terminal.complain(sentence);
  }

  #saySlowed(): void {
    if (this.#isSlowed) return;
    this.#isSlowed = true;
    this.#terminal.complain(
      'sending at most five pings per second from now on: servers close connections that send more',
    );
  }

  #print(line: string): void {
    if (!this.#command.isQuiet) this.#terminal.print(line);
  }

  #sumUp(): 0 | 1 {
    const { sent, received, late, unanswered } = this.#statistics;
    if (this.#wasOpen) {
      this.#terminal.print(this.#report.summary(this.#statistics, this.#firstPing));
    }
    const pattern = patternOf(this.#ends);
    if (pattern !== undefined) this.#fail(this.#report.pattern?.(pattern), pattern.text);
    if (sent > 0 && received === 0 && !this.#hasFailed) {
      this.#terminal.complain(`${this.#url} ${whyUnanswered(this.#command.tier)}`);
    }
    const { count } = this.#command;
    const isCut = this.#deadline.aborted && count < Number.POSITIVE_INFINITY && received < count;
    return this.#hasFailed || received === 0 || late + unanswered > 0 || isCut ? 1 : 0;
  }

  /** Waits until `due`, or until `end` aborts. */
  async #pause(due: number, end: AbortSignal = this.#stop): Promise<void> {
    const wait = Math.max(0, due - performance.now());
    await sleep(wait, undefined, { signal: end }).catch(() => {});
  }
}

/** When something was last sent or received on a connection. */
class Activity {
  readonly #openedAt: number = performance.now();
  #at: number = this.#openedAt;
  #survived: Millis = 0;

  happened(): void {
    const now = performance.now();
    this.#survived = Math.max(this.#survived, now - this.#at);
    this.#at = now;
  }

  get end(): Pick<End, 'age' | 'idle' | 'survived'> {
    const now = performance.now();
    return { age: now - this.#openedAt, idle: now - this.#at, survived: this.#survived };
  }
}

/** Resolves to whether `promise` resolved within `timeout` ms and before `end` aborted. */
async function within(promise: Promise<void>, timeout: Millis, end: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(timeout, false, { signal: AbortSignal.any([end, over.signal]) });
  const result = await Promise.race([promise.then(() => true), late.catch(() => false)]);
  over.abort();
  return result;
}

/** Returns a possible reason why no pong arrived. */
function whyUnanswered(tier: Tier): string {
  if (tier === 'protocol') {
    return 'answers no protocol Ping: a proxy in front of it may drop them';
  }
  if (tier === 'application') {
    return 'answers no application ping: its server has to do that itself. Try --protocol';
  }
  return `answers no ping of ${tier.of}`;
}
