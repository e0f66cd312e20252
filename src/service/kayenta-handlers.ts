/** Answers what Kayenta and Spinnaker ask beside runs: names of releases, and a judge for values that others measured. */
import { setImmediate } from 'node:timers/promises';
import type { KayentaHandlers } from '../api/kayenta/kayenta-handlers.ts';
import type { Unavailable } from '../api/unavailable.ts';
import { classifyMetric } from '../evaluate/kayenta-judge/classify-metric.ts';
import { judgeReport } from '../evaluate/kayenta-judge/judge-series.ts';
import type { JudgedMetric, JudgeReport, JudgeRequest } from '../model/series-judge.ts';

/** Requests that are judged or wait for their turn: each may hold a megabyte, and keep a core busy for seconds. */
const MAX_JUDGED = 10;
const FULL: Unavailable = { outcome: 'unavailable', detail: `${MAX_JUDGED} requests are being judged already`, retryAfterMs: 5_000 };

export function kayentaHandlers(releaseBy: () => readonly string[]): KayentaHandlers {
  let judged = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    releaseBy,
    async judgeSeries(request) {
      if (judged >= MAX_JUDGED) return FULL;
      judged++;
      const turn = last.then(() => inSteps(request)).finally(() => judged--);
      last = turn.catch(() => {});
      return turn;
    },
  };
}

/** One metric at a time: spans are taken in and verdicts given between them. */
async function inSteps(request: JudgeRequest): Promise<JudgeReport> {
  const results: JudgedMetric[] = [];
  for (const pair of request.pairs) {
    results.push(classifyMetric(pair));
    await setImmediate();
  }
  return judgeReport(results, request);
}
