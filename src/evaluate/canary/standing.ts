/** What a comparison knows of itself when it is asked. */
import type { HistogramLayout } from '../../model/histogram-layout.ts';
import type { CanaryPolicy } from '../../model/policy.ts';
import type { DurationMs, SlotIndex } from '../../model/time.ts';
import type { CheckRule } from './check-rule.ts';
import type { EndpointComparison } from './endpoint-comparison.ts';
import type { EndpointSettings } from './endpoint-settings.ts';
import type { Guards } from './guards.ts';
import type { Muted } from './muted.ts';
import type { Overflow } from './overflow.ts';
import type { Pool } from './pool.ts';
import type { RunHistory } from './run-history.ts';

export interface Standing {
  readonly endpoints: readonly EndpointComparison[];
  readonly rules: readonly CheckRule[];
  readonly pool: Pool;
  readonly poolShare: number;
  readonly overflow: Overflow;
  readonly muted: Muted;
  readonly settings: EndpointSettings;
  readonly guards: Guards;
  readonly history: RunHistory;
  /** The slot that is being fed. */
  readonly nextSlot: SlotIndex;
  /** Event time since the run began, and the same without gaps. */
  readonly elapsedMs: DurationMs;
  readonly watchedMs: DurationMs;
  readonly policy: CanaryPolicy;
  /** ln of all the wealth there is, of which checks have shares. */
  readonly logTotal: number;
  readonly logLimit: number;
  /** ln(1/beta). */
  readonly logProof: number;
  readonly isTooFew: boolean;
  readonly isWarmup: boolean;
  readonly isOver: boolean;
  readonly layout: HistogramLayout;
}
