/** The tables of metrics and log lines as Markdown, from the tables that the code uses. */

import type { LogLine } from '../../src/telemetry/log-lines/log-line.ts';
import { LOG_GROUPS } from '../../src/telemetry/log-lines/log-table.ts';
import { METRICS, type MetricRow } from '../../src/telemetry/metric-table.ts';

/** By the end of a name: metrics are in base units. */
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/_timestamp_seconds$/, 'Unix time, s'],
  [/_seconds(_total)?$/, 's'],
  [/_bytes(_total)?$/, 'B'],
  [/_ratio$/, 'ratio'],
  [/_info$/, ''],
];

export function unitOf(name: string): string {
  return UNITS.find(([end]) => end.test(name))?.[1] ?? '1';
}

export function metricsTable(): string {
  const rows = Object.entries<MetricRow>(METRICS).map(([name, { kind, labels, help }]) => {
    const labelled = labels.map((label) => `\`${label}\``).join(' ');
    return `| \`slipstream_${name}\` | ${kind} | ${unitOf(name)} | ${labelled} | ${cell(help)} |`;
  });
  return ['| metric | kind | unit | labels | meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}

export function logTables(): string {
  const groups = Object.entries<Readonly<Record<string, LogLine>>>(LOG_GROUPS).map(([title, lines]) => {
    const rows = Object.entries(lines).map(([message, { level, fields, means, act }]) => {
      return `| ${level} | ${cell(message)} | ${cell(fields)} | ${cell(means)} | ${cell(act)} |`;
    });
    return [`## ${title}`, '', '| level | `msg` | fields | meaning | what to do |', '|---|---|---|---|---|', ...rows].join('\n');
  });
  return groups.join('\n\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
