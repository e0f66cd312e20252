/** Reads the question what an objective would say that was never declared: `objective=p95 < 300ms`. */
import { z } from 'zod';
import { type ParsedObjective, parseAvailability, parseErrorRate, parseLatency } from '../config/objective-text.ts';
import { Complaint } from '../config/quantity.ts';
import type { WhatIfQuery } from '../model/what-if.ts';
import { durationMs } from './duration.ts';
import { statusQuery } from './request-schemas.ts';

const MAX_TEXT_CHARS = 200;

const objectiveText = z
  .string()
  .min(1)
  .max(MAX_TEXT_CHARS)
  .superRefine((text, { addIssue }) => {
    const parsed = parsedObjective(text);
    if (parsed instanceof Complaint) addIssue({ code: 'custom', message: complaintText(parsed) });
  });

export const whatIfQuery = z.strictObject({
  service: z.string().min(1).max(512).describe('Whose requests.'),
  endpoint: z.string().min(1).max(1024).optional().describe('A pattern such as `GET /reports/**`, or an exact endpoint. Default: all.'),
  objective: objectiveText.describe('Such as `p95 < 300ms`, `99.9%` or `errors < 0.1%`.'),
  window: statusQuery.shape.window.removeDefault().default('7d').describe('How far back, 1s to 90d; as far as histograms are stored.'),
});

/** The query as the engine takes it; what was checked by the schema cannot fail. */
export function whatIfOf({ service, endpoint, objective, window }: z.output<typeof whatIfQuery>): WhatIfQuery {
  const parsed = parsedObjective(objective);
  if (parsed instanceof Complaint || !isAskable(parsed.sli)) throw new RangeError(`not an objective: ${objective}`);
  const { sli, target, text } = parsed;
  return { service, endpoint: endpoint ?? null, sli, target, text, windowMs: durationMs(window) ?? 0 };
}

/** An objective as people say it; the words before the number tell which kind it is. */
export function parsedObjective(text: string): ParsedObjective | Complaint {
  const [, word = '', rest = ''] = /^\s*([a-zA-Z][a-zA-Z ]*?)\s*[:\s]?\s*([<>\d].*)$/.exec(text) ?? [];
  const said = word.replaceAll(' ', '').toLowerCase();
  if (/^\s*(latency\s*:?\s*)?[pP]\s?\d/.test(text)) return parseLatency(text.replace(/^\s*latency\s*:?\s*/, ''));
  if (said === 'availability') return parseAvailability(rest);
  if (said === 'errors' || said === 'errorrate' || said === 'error') return parseErrorRate(rest);
  if (said !== '') return new Complaint(`not known: ${word}`, 'such as `p95 < 300ms`, `99.9%` or `errors < 0.1%`');
  return /^\s*</.test(text) ? parseErrorRate(text) : parseAvailability(text.replace(/\s*(available|availability)\s*$/, ''));
}

function isAskable(sli: ParsedObjective['sli']): sli is WhatIfQuery['sli'] {
  return sli.kind === 'latency' || sli.kind === 'availability' || sli.kind === 'errorRate';
}

function complaintText({ message, expected, suggestion }: Complaint): string {
  return [message, expected && `expected ${expected}`, suggestion && `did you mean \`${suggestion}\`?`].filter(Boolean).join('; ');
}
