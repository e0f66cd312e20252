/** The one table of what an HTTP status says about a delivered signal. */
import type { SinkRefusal } from './sink.ts';

export type StatusOutcome = 'delivered' | 'retry' | SinkRefusal;

interface StatusRow {
  readonly from: number;
  readonly to: number;
  readonly outcome: StatusOutcome;
}

/** The first row that holds the status counts. 409 and 412 are how a deploy system fences off a signal for an older generation. */
const STATUS_TABLE: readonly StatusRow[] = [
  { from: 200, to: 299, outcome: 'delivered' },
  { from: 300, to: 399, outcome: 'misdirected' },
  { from: 401, to: 401, outcome: 'misdirected' },
  { from: 403, to: 404, outcome: 'misdirected' },
  { from: 408, to: 408, outcome: 'retry' },
  { from: 409, to: 409, outcome: 'superseded' },
  { from: 410, to: 410, outcome: 'misdirected' },
  { from: 412, to: 412, outcome: 'superseded' },
  { from: 425, to: 425, outcome: 'retry' },
  { from: 429, to: 429, outcome: 'retry' },
  { from: 400, to: 499, outcome: 'refused' },
  { from: 501, to: 501, outcome: 'refused' },
  { from: 500, to: 599, outcome: 'retry' },
];

/** Anything outside 200 to 599 is `refused`. */
export function outcomeOfStatus(status: number): StatusOutcome {
  return STATUS_TABLE.find((row) => status >= row.from && status <= row.to)?.outcome ?? 'refused';
}
