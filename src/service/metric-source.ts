/** Reads slots for queries in small steps between which spans are taken in: first those of the store, then those that memory held. */
import { setImmediate } from 'node:timers/promises';
import type { MetricSource } from '../api/prometheus/metric-source.ts';
import type { Engine } from '../engine.ts';
import type { LevelSeconds } from '../model/checkpoint.ts';
import type { MetricRefusal } from '../model/metric-scan.ts';
import type { DurationMs } from '../model/time.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from './clock.ts';

/** Stored slots are asked for so many at a time. */
const SLOTS_PER_READ = 4;
/** A step is over after this long. */
const STEP_MS = 5;
/** Bytes of stored slots that one query may read. */
const MAX_BYTES = 128 * 1024 * 1024;

export interface MetricParts {
  readonly engine: Engine;
  readonly store: Pick<Store, 'slots'>;
  readonly clock: Clock;
}

export function metricSource({ engine, store, clock }: MetricParts): MetricSource {
  return {
    series: () => engine.views.metrics(clock.now()).series(),
    gauges: (at) => engine.views.metrics(clock.now()).gauges(at),
    monotonicMs: () => clock.monotonicMs(),
    breathe: () => setImmediate(),
    async scan(requests, deadline) {
      const { scans, pieces, held } = engine.views.metrics(clock.now()).scans(requests);
      const refusal = (): MetricRefusal | null => scans.find((scan) => scan.refusal !== null)?.refusal ?? null;
      const pace = new Pace(clock);
      let bytes = 0;
      for (const slots of stored(store, pieces)) {
        bytes += slots.reduce((sum, slot) => sum + slot.bytes.length, 0);
        if (bytes > MAX_BYTES)
          return { kind: 'too_much', detail: `the query reads more than ${MAX_BYTES} bytes of slots: ask for a shorter time` };
        for (const slot of slots) {
          const blocks = engine.window.olderBlocks([slot]);
          for (const scan of scans) scan.add(slot.startSec, blocks);
          if (pace.isDue) await pace.breathe();
        }
        const said = refusal() ?? late(clock, deadline);
        if (said !== null) return said;
      }
      for (const { startSec, blocks } of held) {
        for (const scan of scans) scan.add(startSec, blocks);
        if (pace.isDue) await pace.breathe();
        const said = refusal() ?? late(clock, deadline);
        if (said !== null) return said;
      }
      return refusal() ?? scans;
    },
  };
}

function* stored(store: Pick<Store, 'slots'>, pieces: readonly { level: LevelSeconds; fromSec: number; toSec: number }[]) {
  for (const { level, fromSec, toSec } of pieces) {
    const step = level * SLOTS_PER_READ;
    for (let from = fromSec; from < toSec; from += step) yield store.slots(level, from, Math.min(from + step, toSec));
  }
}

function late(clock: Clock, deadline: DurationMs): MetricRefusal | null {
  return clock.monotonicMs() < deadline ? null : { kind: 'timeout', detail: 'query timed out in expression evaluation' };
}

/** Tells when a step has taken long enough. */
class Pace {
  readonly #clock: Clock;
  #since: DurationMs;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonicMs();
  }

  get isDue(): boolean {
    return this.#clock.monotonicMs() - this.#since >= STEP_MS;
  }

  async breathe(): Promise<void> {
    await setImmediate();
    this.#since = this.#clock.monotonicMs();
  }
}
