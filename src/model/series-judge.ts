/** What is asked of a judge that is given only values per step, as Kayenta's remote judge is, and what it answers. */
import type { ScoreThresholds } from './score-thresholds.ts';

/** What counts as a change of one metric, and what follows from it. */
export interface MetricRule {
  /** Which way is bad. */
  readonly direction: 'increase' | 'decrease' | 'either';
  /** `replace`: a step without a value counts as 0. */
  readonly nanStrategy: 'remove' | 'replace';
  /** Worse beyond the critical effect: the whole score is 0. */
  readonly critical: boolean;
  /** Shown and not counted. */
  readonly muted: boolean;
  /** No values at all are a failure. */
  readonly mustHaveData: boolean;
  /** `meanRatio`: mean of the experiment over that of the control; `cles`: chance that a step of the experiment is the larger one. */
  readonly effect: {
    readonly measure: 'meanRatio' | 'cles';
    readonly allowedIncrease: number;
    readonly allowedDecrease: number;
    readonly criticalIncrease: number;
    readonly criticalDecrease: number;
  };
  readonly groups: readonly string[];
}

export interface MetricPair {
  readonly name: string;
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  /** One value a step, oldest first; NaN where there is none. */
  readonly control: readonly number[];
  readonly experiment: readonly number[];
  readonly rule: MetricRule;
}

export interface JudgeRequest {
  readonly pairs: readonly MetricPair[];
  /** Percent of the score, by group; what is left is shared by the groups that are not named. */
  readonly groupWeights: ReadonlyMap<string, number>;
  readonly thresholds: ScoreThresholds;
}

/** `Nodata`: too little to tell, neither good nor bad. `NodataFailMetric`: values that had to be there are not. */
export type MetricClass = 'Pass' | 'High' | 'Low' | 'Nodata' | 'NodataFailMetric';

export interface SeriesStats {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** With n - 1; 0 below two values. */
  readonly std: number;
  readonly count: number;
}

export interface JudgedMetric {
  readonly name: string;
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly groups: readonly string[];
  readonly classification: MetricClass;
  readonly reason: string;
  readonly control: SeriesStats;
  readonly experiment: SeriesStats;
  /** Mean of the experiment over that of the control; null when it is no finite number. */
  readonly ratio: number | null;
  /** It is marked critical and is worse beyond the critical effect, or had to have values. */
  readonly isCriticalFailure: boolean;
  readonly critical: boolean;
  readonly muted: boolean;
}

export type ScoreClass = 'Pass' | 'Marginal' | 'Fail';

export interface GroupScore {
  readonly name: string;
  /** In [0, 100]. */
  readonly score: number;
}

export interface JudgeReport {
  readonly results: readonly JudgedMetric[];
  readonly groupScores: readonly GroupScore[];
  readonly score: { readonly score: number; readonly classification: ScoreClass; readonly reason: string };
}
