/** From scopes of Kayenta to the two releases that are compared, and when. */
import type { z } from 'zod';
import type { ReleaseMatcher } from '../../model/series.ts';
import type { EpochMs } from '../../model/time.ts';
import type { FieldError } from '../problem.ts';
import type { canaryRequest, executionRequest } from './schemas.ts';

/** One pair of scopes, in the words of whoever sent it. */
interface ScopePair {
  readonly pointer: string;
  readonly control: string;
  readonly experiment: string;
  readonly params: Readonly<Record<string, string | null>>;
  readonly start: string | number | null;
  readonly end: string | number | null;
}

export interface Compared {
  readonly baseline: ReleaseMatcher;
  readonly canary: ReleaseMatcher;
  readonly start: EpochMs | null;
  readonly end: EpochMs | null;
  /** What the scopes carry as token; undefined: nothing. */
  readonly token: string | undefined;
}

export type ComparedOutcome = { readonly ok: true; readonly value: Compared } | { readonly ok: false; readonly error: FieldError };

export function scopesOf({ scopes }: z.output<typeof canaryRequest>): ScopePair[] {
  return Object.entries(scopes).map(([name, { controlScope, experimentScope }]) => ({
    pointer: `/scopes/${name}`,
    control: controlScope.scope,
    experiment: experimentScope.scope,
    params: { ...controlScope.extendedScopeParams, ...experimentScope.extendedScopeParams },
    start: experimentScope.start ?? null,
    end: experimentScope.end ?? null,
  }));
}

export function standaloneScopesOf({ scopes }: z.output<typeof executionRequest>): ScopePair[] {
  return scopes.map((scope, i) => ({
    pointer: `/executionRequest/scopes/${i}`,
    control: scope.controlScope,
    experiment: scope.experimentScope,
    params: { ...scope.extendedScopeParams },
    start: scope.startTimeIso ?? null,
    end: scope.endTimeIso ?? null,
  }));
}

/** All pairs must mean the same two releases: a run compares two. `releaseBy` are the attributes that releases can be named by, the default first. */
export function compared(pairs: readonly ScopePair[], releaseBy: readonly string[]): ComparedOutcome {
  const [first] = pairs;
  if (first === undefined) return wrong('/scopes', 'names no scope');
  const attribute = first.params.attribute ?? releaseBy[0] ?? 'service.version';
  if (!releaseBy.includes(attribute)) {
    const expected = `one of ${releaseBy.join(', ')}, or added to spans.releaseBy`;
    return wrong(`${first.pointer}/extendedScopeParams/attribute`, `releases are not told apart by ${attribute}; it must be ${expected}`);
  }
  if (first.control === first.experiment) return wrong(first.pointer, 'compares a release with itself');
  for (const pair of pairs) {
    const isSame =
      pair.control === first.control &&
      pair.experiment === first.experiment &&
      (pair.params.attribute ?? null) === (first.params.attribute ?? null);
    if (!isSame) return wrong(pair.pointer, 'names other releases than the first scope; an analysis compares two');
  }
  const [start, end] = [timeOf(first.start), timeOf(first.end)];
  if (start === undefined) return wrong(first.pointer, 'starts at no time like 2026-01-31T12:00:00Z');
  if (end === undefined) return wrong(first.pointer, 'ends at no time like 2026-01-31T12:00:00Z');
  const token = pairs.map(({ params }) => params.token).find((value) => typeof value === 'string');
  return {
    ok: true,
    value: { baseline: { [attribute]: first.control }, canary: { [attribute]: first.experiment }, start, end, token: token ?? undefined },
  };
}

/** Null: not said; undefined: no time. Numbers are seconds as Jackson writes an Instant, or milliseconds. */
function timeOf(value: string | number | null): EpochMs | null | undefined {
  if (value === null || value === '') return null;
  const ms = typeof value === 'number' ? (value < 1e11 ? value * 1000 : value) : Date.parse(value);
  return Number.isFinite(ms) ? ms : undefined;
}

function wrong(pointer: string, detail: string): ComparedOutcome {
  return { ok: false, error: { pointer, detail } };
}
