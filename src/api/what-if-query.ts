/** Reads the question what an objective would say that was never declared: `objective=p95 < 300ms`. */
import { z } from 'zod';
import { parseContract } from '../config/contract-line.ts';
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
    const asked = askedObjective(text);
    if (asked instanceof Complaint) addIssue({ code: 'custom', message: complaintText(asked) });
  });

export const whatIfQuery = z.strictObject({
  service: z.string().min(1).max(512).describe('Whose requests.'),
  endpoint: z.string().min(1).max(1024).optional().describe('A pattern such as `GET /reports/**`, or an exact endpoint. Default: all.'),
  objective: objectiveText.describe('Such as `p95 < 300ms`, `99.9%` or `errors < 0.1%`.'),
  window: statusQuery.shape.window.removeDefault().default('7d').describe('How far back, 1s to 90d; as far as histograms are stored.'),
});

/** The query as the engine takes it; what was checked by the schema cannot fail. */
export function whatIfOf({ service, endpoint, objective, window }: z.output<typeof whatIfQuery>): WhatIfQuery {
  const asked = askedObjective(objective);
  if (asked instanceof Complaint) throw new RangeError(`not an objective: ${objective}`);
  return { ...asked, service, endpoint: endpoint ?? asked.endpoint, windowMs: durationMs(window) ?? 0 };
}

/** One objective as a contract line has it, of a kind that counts and histograms can tell of. */
function askedObjective(line: string): Pick<WhatIfQuery, 'sli' | 'target' | 'text' | 'endpoint'> | Complaint {
  const parts = parseContract(line);
  if (parts instanceof Complaint) return parts;
  const [part, ...others] = parts;
  if (part === undefined || others.length > 0) return new Complaint(`${parts.length} objectives are asked for`, 'one at a time');
  const { sli, target, text } = part.objective;
  if (sli.kind !== 'latency' && sli.kind !== 'availability' && sli.kind !== 'errorRate') {
    return new Complaint(`what is stored does not tell of \`${line}\``, 'a latency, an availability or an error rate');
  }
  return { sli, target, text, endpoint: part.endpoint };
}

function complaintText({ message, expected, suggestion }: Complaint): string {
  return [message, expected && `expected ${expected}`, suggestion && `did you mean \`${suggestion}\`?`].filter(Boolean).join('; ');
}
