import { safeJson, safeText } from '../safe-text.ts';
import type { Look } from '../terminal.ts';
import type { Check, Finding, Verdict } from './finding.ts';

/** Formats what `wirebeat doctor` finds as lines. */
export interface DoctorReport {
  finding(finding: Finding): string;
  summary(summary: Summary): string;
}

export interface Summary {
  readonly failures: number;
  readonly warnings: number;
  /** Whether every check took place. */
  readonly isComplete: boolean;
}

const NAMES: Readonly<Record<Check, string>> = {
  dns: 'DNS',
  tcp: 'TCP',
  tls: 'TLS',
  upgrade: 'upgrade',
  subprotocol: 'subprotocol',
  compression: 'compression',
  'protocol-ping': 'protocol ping',
  buffering: 'buffering',
  'application-ping': 'application ping',
  limits: 'limits',
};
const NAME_WIDTH = 17;
const VERDICT_WIDTH = 8;

/** For people: one line for each finding, and what to do below it. */
export function textReport(look: Look): DoctorReport {
  return {
    finding({ check, verdict, text, advice, remedies }) {
      const line = `${verdict.padEnd(VERDICT_WIDTH)} ${NAMES[check].padEnd(NAME_WIDTH)} ${safeText(text)}`;
      const below: [string, string | undefined][] = [
        ['', advice],
        ['nginx: ', remedies?.nginx],
        ['HAProxy: ', remedies?.haproxy],
        ['load balancer: ', remedies?.loadBalancer],
      ];
      // People need no advice if nothing is wrong.
      const lines = below.flatMap(([name, what]) =>
        verdict === 'ok' || what === undefined ? [] : [`  ${name}${safeText(what)}`],
      );
      return [marked(line, verdict, look), ...lines].join('\n');
    },
    summary({ failures, warnings, isComplete }) {
      const counts = `${plural(failures, 'failure')}, ${plural(warnings, 'warning')}`;
      return isComplete ? counts : `${counts}; not every check took place`;
    },
  };
}

/** For programs: one JSON object per line, with a `type` and the time. Durations are in ms: `…Ms`. */
export function jsonReport(url: string): DoctorReport {
  const line = (type: string, values: object) =>
    safeJson({ type, time: new Date().toISOString(), url, ...values });
  return {
    finding({ check, verdict, text, advice, remedies, details }) {
      return line('finding', { check, verdict, message: text, advice, ...remedies, details });
    },
    summary: ({ failures, warnings, isComplete }) =>
      line('summary', { failures, warnings, complete: isComplete }),
  };
}

function marked(line: string, verdict: Verdict, look: Look): string {
  return verdict === 'failure' ? look.bad(line) : line;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
