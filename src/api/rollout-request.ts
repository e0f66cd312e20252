/** From the body of `POST /v1/rollouts` to a complete wish: derived id, resolved times. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { type ReleaseMatcher, sameMatcher } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';
import { durationMs } from './duration.ts';
import type { StartRollout } from './handlers.ts';
import type { FieldError } from './problem.ts';
import type { startRollout } from './request-schemas.ts';

export type RolloutRequest = { readonly ok: true; readonly value: StartRollout } | { readonly ok: false; readonly error: FieldError };

/** A clock this far ahead of ours is taken for a mistake. */
const MAX_AHEAD_MS = 60_000;

/** Checks what no single field can tell. `now` is the wall clock. */
export function rolloutRequest(body: z.output<typeof startRollout>, now: EpochMs): RolloutRequest {
  const { service, baseline, canary, generation, canaryShare = null } = body;
  if (sameMatcher(baseline, canary)) return wrong('/canary', 'selects the same releases as baseline');
  const startedAt = body.startedAt === undefined ? null : Date.parse(body.startedAt);
  if (startedAt !== null && startedAt > now + MAX_AHEAD_MS) return wrong('/startedAt', 'lies in the future');
  const deadline = body.deadline === undefined ? null : deadlineMs(body.deadline, startedAt ?? now);
  if (deadline !== null && deadline <= (startedAt ?? now)) return wrong('/deadline', 'lies before the start');
  const id = body.id ?? derivedId(service, canary, generation);
  const target = body.target ?? null;
  return { ok: true, value: { id, service, generation, origin: 'api', target, baseline, canary, startedAt, deadline, canaryShare } };
}

/** The same wish has the same id on every replica and after every restart; JSON keeps the parts apart. */
function derivedId(service: string, canary: ReleaseMatcher, generation: number): string {
  const digest = createHash('sha256').update(JSON.stringify([service, sortedEntries(canary), generation]));
  return `ro-${digest.digest('hex').slice(0, 24)}`;
}

function deadlineMs(text: string, start: EpochMs): EpochMs {
  const length = durationMs(text);
  return length === null ? Date.parse(text) : start + length;
}

function sortedEntries(matcher: ReleaseMatcher): [string, string][] {
  return Object.entries(matcher).sort(([a], [b]) => (a < b ? -1 : 1));
}

function wrong(pointer: string, detail: string): RolloutRequest {
  return { ok: false, error: { pointer, detail } };
}
