/** The two limits by which callers read a score of Kayenta, and the score that says neither yes nor no between them. */

/** As callers use them: Orca fails a score that is not above `marginal` and promotes at `pass`; Argo Rollouts fails below `marginal`. */
export interface ScoreThresholds {
  readonly pass: number;
  readonly marginal: number;
}

/** Null when the limits can be used, else what is wrong with them: whole numbers of which a failure, doubt and a pass can be told apart by every caller. */
export function thresholdsFault({ pass, marginal }: ScoreThresholds): string | null {
  if (!Number.isInteger(pass) || !Number.isInteger(marginal)) return 'pass and marginal must be whole numbers: callers read scores as such';
  if (pass > 100) return 'pass must be at most 100';
  if (marginal < 1) return 'marginal must be at least 1: a score of 0 is a failure only below it';
  if (pass - marginal < 2) return 'pass must be at least marginal + 2: what could not be decided needs a score between them';
  return null;
}

/** Whole, above `marginal` and below `pass`: 87 for 100 and 75. The limits must be without fault. */
export function undecidedScore({ pass, marginal }: ScoreThresholds): number {
  return Math.floor((pass + marginal) / 2);
}
