/** The product itself under simulation: its own engine, fed with slot deltas as in service, and asked what it decided. */
import { Engine } from '../../../src/engine.ts';
import type { ProcessLimits } from '../../../src/evaluate/canary/process-rules.ts';
import type { CanaryPolicy } from '../../../src/model/policy.ts';
import type { SlotDeltas } from '../../../src/model/slot-deltas.ts';
import { SLOT_MS } from '../../../src/model/time.ts';
import { canaryPolicy } from '../../evaluate/policy.ts';
import { policies } from '../../support/policies.ts';
import { LAYOUT } from './latencies.ts';
import type { Said } from './method.ts';
import { SERVICE, START_MS } from './stream.ts';

/** Before this second a run waits for its canary, which is called a hold. */
const SETTLED_SEC = 10;

/** The published defaults have the guard of the error budget on: 14.4 × 0.1 %. */
const GUARDED: Partial<CanaryPolicy> = { maxErrorRatio: 0.0144 };

export interface ProductSetup {
  readonly policy: Partial<CanaryPolicy>;
  /** Only where it is shown why they exist. */
  readonly limits?: ProcessLimits;
}

export class Product {
  isDone = false;
  rollback: number | null = null;
  promote: number | null = null;
  hold: number | null = null;
  readonly #engine: Engine;
  readonly #horizonSec: number;

  constructor(setup: ProductSetup) {
    this.#engine = new Engine(policies({ canary: { ...GUARDED, ...setup.policy } }), LAYOUT, setup.limits);
    this.#horizonSec = canaryPolicy(setup.policy).horizonMs / 1000;
  }

  get said(): Said {
    return { rollback: this.rollback, promote: this.promote, hold: this.hold };
  }

  /** One second's flush, then the tick that judges what its watermark allows. */
  receive(second: number, deltas: SlotDeltas): void {
    const engine = this.#engine;
    const now = START_MS + second * SLOT_MS;
    if (second === 0) {
      const releases = { baseline: { 'service.version': '1' }, canary: { 'service.version': '2' } };
      engine.startRollout({ service: SERVICE, ...releases, generation: 1, startedAt: START_MS }, now);
    }
    engine.merge(deltas);
    for (const { run, fault } of engine.advance(now + SLOT_MS)) {
      // A run that broke says nothing, which must not pass for calm.
      if (fault !== null) throw new Error(`the run broke at ${second} s: ${fault}`);
      const at = (run.verdict.at - START_MS) / SLOT_MS;
      if (run.verdict.decision === 'rollback') this.rollback ??= at;
      if (run.verdict.decision === 'promote') this.promote ??= at;
      if (run.verdict.decision === 'hold' && at >= SETTLED_SEC && at < this.#horizonSec) this.hold ??= at;
      this.isDone = run.state !== 'running' && run.state !== 'pending' && run.state !== 'baking';
    }
  }
}
