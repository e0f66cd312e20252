/** What `slipstream gate` tells a running one before it asks: overrides, their end, and load tests. */
import { readFile, stat } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { comparedServices, loadTest, overrideEntry } from '../api/gate-schemas.ts';
import { PermanentError } from '../model/errors.ts';
import { momentText } from '../model/number-text.ts';
import { shortened, visible } from '../model/safe-text.ts';
import { answerTo } from './api-client.ts';
import { changed, tokenOf } from './api-token.ts';
import type { CliContext } from './context.ts';

export interface GateTelling {
  readonly url: string;
  readonly tokenEnv?: string;
  readonly override?: string;
  readonly by?: string;
  readonly for?: string;
  readonly endOverride?: true;
  readonly loadTest?: string;
  readonly loadTestOutcome?: 'pass' | 'fail' | 'inconclusive';
  readonly candidate?: string;
  readonly summary?: string;
}

/** Comparisons of recordings have some hundred endpoints. */
const MAX_FILE_BYTES = 64 * 2 ** 20;
/** What the API takes. */
const MAX_CANDIDATE_CHARS = 200;
const MAX_SUMMARY_CHARS = 500;

/** What options contradict each other or say only half; null: none. */
export function contradiction(told: GateTelling): string | null {
  const { override, by, for: length, endOverride, loadTest: file, loadTestOutcome, candidate, summary } = told;
  if (override !== undefined && endOverride === true) return '--override and --end-override exclude each other';
  if (override !== undefined && (by === undefined || length === undefined)) return '--override needs --by NAME and --for DURATION';
  if (endOverride === true && by === undefined) return '--end-override needs --by NAME';
  if (override === undefined && length !== undefined) return '--for belongs to --override';
  if (override === undefined && endOverride !== true && by !== undefined) return '--by belongs to --override or --end-override';
  if (file !== undefined && loadTestOutcome !== undefined) return '--load-test and --load-test-outcome exclude each other';
  if (loadTestOutcome !== undefined && candidate === undefined) return '--load-test-outcome needs --candidate NAME';
  if (file === undefined && loadTestOutcome === undefined && candidate !== undefined) return '--candidate belongs to a load test';
  if (loadTestOutcome === undefined && summary !== undefined) return '--summary belongs to --load-test-outcome';
  return null;
}

/** Tells all that is to be told, and says on standard error what was taken. Throws when something was not. */
export async function tell(context: CliContext, service: string, told: GateTelling): Promise<void> {
  const { url, override, by, for: length } = told;
  const say = (line: string) => context.streams.stderr.write(`slipstream: ${visible(line)}\n`);
  const test = await toldLoadTest(context, service, told);
  if (test !== null) {
    const change = { method: 'POST', body: test, token: tokenOf(context, told.tokenEnv) } as const;
    const kept = await changed(
      told.tokenEnv,
      answerTo({ url, path: '/v1/gate/load-tests', subject: 'taking a load test', schema: loadTest, change }),
    );
    say(`load test of ${kept.candidate} handed in: ${kept.outcome}`);
  }
  if (override !== undefined) {
    const body = { service, by, reason: override, for: length };
    const change = { method: 'POST', body, token: tokenOf(context, told.tokenEnv) } as const;
    const kept = await changed(
      told.tokenEnv,
      answerTo({ url, path: '/v1/gate/overrides', subject: 'an override', schema: overrideEntry, change }),
    );
    say(`the gate of ${service} is overridden until ${momentText(kept.until)}`);
  }
  if (told.endOverride === true) {
    const query = new URLSearchParams({ service, by: by ?? '' });
    const change = { method: 'DELETE', token: tokenOf(context, told.tokenEnv) } as const;
    const path = `/v1/gate/overrides?${query}`;
    const ended = await changed(told.tokenEnv, answerTo({ url, path, subject: 'the end of an override', schema: overrideEntry, change }));
    say(`the override of ${service} by ${ended.by} is ended`);
  }
}

async function toldLoadTest(context: CliContext, service: string, told: GateTelling): Promise<object | null> {
  const { loadTest: file, loadTestOutcome: outcome, candidate, summary = '' } = told;
  if (outcome !== undefined) return { service, outcome, candidate, summary };
  if (file === undefined) return null;
  const reading = `reading a comparison from ${file === '-' ? '(standard input)' : file}`;
  const parsed = comparedServices.safeParse(json(await content(context, file, reading), reading));
  if (!parsed.success) throw new PermanentError('no_comparison', `${reading}: it is not what \`slipstream compare -o json\` writes`);
  const { at, services } = parsed.data;
  const compared = services.find((one) => one.service === service);
  if (compared === undefined) {
    const there = services.slice(0, 10).map((one) => one.service);
    throw new PermanentError('other_service', `${reading}: ${service} is not in it; there is ${there.join(', ') || 'no service'}`);
  }
  // What compared nothing is no load test, however new it is.
  if (compared.outcome === 'inconclusive' && compared.metrics.length === 0)
    throw new PermanentError('not_compared', `${reading}: nothing of ${service} was compared: ${compared.summary}`);
  return {
    service,
    outcome: compared.outcome,
    candidate: lineOf(candidate ?? compared.candidate, MAX_CANDIDATE_CHARS),
    summary: lineOf(compared.summary, MAX_SUMMARY_CHARS),
    at: new Date(at).toISOString(),
  };
}

/** As the API takes it: names of releases may carry anything. */
function lineOf(from: string, maxChars: number): string {
  return shortened(visible(from), maxChars).slice(0, maxChars);
}

async function content(context: CliContext, file: string, reading: string): Promise<string> {
  if (file === '-') return text(context.streams.stdin);
  try {
    if ((await stat(file)).size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new PermanentError('no_file', reading, { cause });
  }
}

function json(from: string, reading: string): unknown {
  try {
    return JSON.parse(from);
  } catch {
    throw new PermanentError('no_comparison', `${reading}: it is not JSON`);
  }
}
