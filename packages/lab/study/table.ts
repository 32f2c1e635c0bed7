import type { Millis } from '@wirebeat/core';
import { quantile, type Result } from './study.ts';

const HEADS = [
  'network',
  'detector',
  'to `suspect`',
  'to dead',
  'false suspicions a day',
  'false deaths a day',
  'pings an hour',
] as const;

/** Formats the results as a Markdown table, with times in seconds: median and 99th percentile. */
export function table(results: readonly Result[]): string {
  let network = '';
  const rows = results.map((result) => {
    const isNext = network !== result.network.name;
    network = result.network.name;
    return cells(result, isNext ? `**${network}**` : '');
  });
  const lines = [[...HEADS], ...rows];
  const widths = HEADS.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const pad = (line: readonly string[]) =>
    line.map((cell, at) =>
      at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
    );
  const rule = widths.map((width, at) =>
    at < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const [heads = [], ...body] = lines.map(pad);
  return [heads, rule, ...body].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function cells(result: Result, network: string): string[] {
  const { subject, toSuspect, toDead, suspicionsPerHour, deathsPerDay, pingsPerHour } = result;
  return [
    network,
    subject.name,
    subject.suspects ? both(toSuspect) : '–',
    both(toDead),
    subject.suspects ? figure(24 * suspicionsPerHour) : '–',
    figure(deathsPerDay),
    String(Math.round(pingsPerHour)),
  ];
}

function both(values: readonly Millis[]): string {
  const [median, most] = [quantile(values, 0.5), quantile(values, 0.99)];
  return `${(median / 1_000).toFixed(1)} / ${(most / 1_000).toFixed(1)}`;
}

/** Formats a number with one decimal, but zero without, so that zero stands out. */
function figure(value: number): string {
  if (value === 0) return '0';
  return value < 0.05 ? '< 0.1' : value.toFixed(value < 100 ? 1 : 0);
}
