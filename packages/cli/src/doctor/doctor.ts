import type { Millis } from '@wirebeat/core';
import type { Target } from '../connection/dial.ts';
import type { Tier } from '../connection/prober.ts';
import { inSeconds } from '../ping/connection-ends.ts';
import { safeText } from '../safe-text.ts';
import type { Terminal } from '../terminal.ts';
import type { Finding, Say } from './finding.ts';
import { openAndExamine } from './handshake.ts';
import { examineLimits } from './limits.ts';
import { examinePings } from './pings.ts';
import { jsonReport, textReport } from './report.ts';

/** The arguments of `wirebeat doctor`. Durations are in ms. */
export interface DoctorCommand extends Target {
  readonly tier: Tier;
  /** Longest silence and longest age that are tried. `undefined`: no search for limits. */
  readonly upTo: Millis | undefined;
  readonly json: boolean;
}

/**
 * Tries everything that a WebSocket needs, and prints each finding as soon as it is known. Aborting
 * `stop` ends the run early.
 *
 * Resolves to the exit code: 0 if there was no failure, 1 if there was one or the run was stopped before
 * the search for limits.
 */
export async function doctor(
  command: DoctorCommand,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<0 | 1> {
  const url = safeText(command.url);
  const report = command.json ? jsonReport(url) : textReport(terminal.look);
  const counts = { ok: 0, warning: 0, failure: 0 };
  const say = (finding: Finding): void => {
    counts[finding.verdict] += 1;
    terminal.print(report.finding(finding));
  };
  const printForPeople = (line: string): void => {
    if (!command.json) terminal.print(line);
  };
  printForPeople(`examining ${url}`);
  const isComplete = await examine(command, say, printForPeople, stop);
  const { failure: failures, warning: warnings } = counts;
  terminal.print(report.summary({ failures, warnings, isComplete: isComplete && !stop.aborted }));
  return failures > 0 || !isComplete ? 1 : 0;
}

/** Runs all checks. Resolves to whether they all took place; those that were not asked for do not count. */
async function examine(
  command: DoctorCommand,
  say: Say,
  printForPeople: (line: string) => void,
  stop: AbortSignal,
): Promise<boolean> {
  const { tier, upTo } = command;
  try {
    const opened = await openAndExamine(command, say, stop);
    if (opened === undefined) return false;
    await examinePings(opened, tier, say, stop);
    if (upTo === undefined) return true;
    printForPeople(`searching for limits up to ${inSeconds(upTo)}: Ctrl-C ends the search`);
    await examineLimits({ ...opened.target, tier }, upTo, say, stop);
    return true;
  } catch (error) {
    if (stop.aborted) return false;
    throw error;
  }
}
