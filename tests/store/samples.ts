/** Signals, series and checkpoints for tests of the store and of what is built on it. */
import type { Checkpoint } from '../../src/model/checkpoint.ts';
import type { Signal } from '../../src/model/rollout.ts';
import type { SeriesInfo } from '../../src/model/series.ts';

export const DECIDED_AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

export function sampleSignal(change: Partial<Signal> = {}): Signal {
  return {
    id: 'sig_0123456789abcdef0123456789abcdef01234567',
    rolloutId: 'checkout-42',
    generation: 7,
    policyId: 'default',
    service: 'checkout',
    action: 'rollback',
    reason: 'harm_proven',
    target: null,
    link: null,
    summary: 'errors POST /checkout: 31 of 400 against 2 of 4000',
    evidenceDigest: 'e'.repeat(64),
    evidenceAt: DECIDED_AT - 4_000,
    notAfter: DECIDED_AT + 600_000,
    sinks: ['deploy'],
    ...change,
  };
}

export function sampleSeries(id: number, attributes: ReadonlyMap<string, string> = new Map([['service.version', '1.4.2']])): SeriesInfo {
  return {
    id,
    service: 'checkout',
    release: { name: '1.4.2', attributes },
    endpoint: `GET /${id}`,
    kind: 'http',
    thresholdsNs: [5e8],
    rules: [],
  };
}

export function sampleCheckpoint(change: Partial<Checkpoint> = {}): Checkpoint {
  return { at: DECIDED_AT, series: [], slots: [], countKeys: [], counts: [], runs: [], notes: [], retain: [], retainCounts: [], ...change };
}
