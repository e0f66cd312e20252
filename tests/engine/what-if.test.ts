/** What an objective would say that was never declared equals a recount of the very spans, within the bucket the limit lies in. */
import { describe, expect, it } from 'vitest';
import type { WhatIfQuery } from '../../src/model/what-if.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { encodeRequest } from '../support/otlp-proto.ts';
import { testStages } from '../support/test-stages.ts';

const START_SEC = 1_800_000_000;
const SECONDS = 2 * 3600;
const MINUTE_MS = 60_000;
const LIMIT_NS = 300_000_000;

interface Served {
  readonly atSec: number;
  readonly durationNs: number;
  readonly failed: boolean;
  readonly route: string;
}

/** One request a second, of 1 ns to 400 ms; exactly 300 ms now and then, and a nanosecond more. */
const SERVED: readonly Served[] = Array.from({ length: SECONDS }, (_, i) => ({
  atSec: START_SEC + i,
  durationNs: i % 40 === 7 ? LIMIT_NS : i % 40 === 9 ? LIMIT_NS + 1 : ((i * 7_919_333) % 400_000_000) + 1,
  failed: i % 97 === 0,
  route: i % 4 === 0 ? '/pay' : '/cart',
}));

function request({ atSec, durationNs, failed, route }: Served): Uint8Array {
  const endNs = BigInt(atSec) * 1_000_000_000n + 500_000_000n;
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  return encodeRequest({
    resourceSpans: [
      {
        resource: { attributes: [attribute('service.name', 'shop')] },
        scopeSpans: [
          {
            spans: [
              {
                name: `GET ${route}`,
                kind: 2,
                startTimeUnixNano: endNs - BigInt(durationNs),
                endTimeUnixNano: endNs,
                attributes: [attribute('http.request.method', 'GET'), attribute('http.route', route)],
                status: { code: failed ? 2 : 0 },
              },
            ],
          },
        ],
      },
    ],
  });
}

const store = new MemoryStore();
const { ingest, engine } = testStages();
for (const [i, served] of SERVED.entries()) {
  const now = served.atSec * 1000 + 600;
  ingest.consume('protobuf', request(served), now);
  if (ingest.flushDue()) engine.merge(ingest.flush());
  engine.advance(now);
  if (i % 5 === 4) store.checkpoint(engine.checkpoint(now));
}
engine.merge(ingest.flush());
engine.advance((START_SEC + SECONDS) * 1000);
store.checkpoint(engine.checkpoint((START_SEC + SECONDS) * 1000));

const ASKED: WhatIfQuery = {
  service: 'shop',
  endpoint: null,
  sli: { kind: 'latency', thresholdNs: LIMIT_NS },
  target: 0.75,
  text: 'latency: p75 < 300ms',
  windowMs: 90 * MINUTE_MS,
};

function asked(change: Partial<WhatIfQuery> = {}) {
  const query = { ...ASKED, ...change };
  const stored = engine.views.storedPieces(query.windowMs).flatMap(({ level, fromSec, toSec }) => store.slots(level, fromSec, toSec));
  const view = engine.views.whatIf(query, stored);
  if (view === null) throw new RangeError('no answer');
  const within = SERVED.filter(({ atSec, route }) => atSec * 1000 >= view.from && (query.endpoint ?? `GET ${route}`) === `GET ${route}`);
  return { view, within };
}

describe.each([
  ['a minute', MINUTE_MS],
  ['ten minutes', 10 * MINUTE_MS],
  ['ninety minutes', 90 * MINUTE_MS],
  ['a week, of which there are two hours', 7 * 24 * 60 * MINUTE_MS],
])('over %s', (_, windowMs) => {
  it.each([LIMIT_NS, 1_000_000, 123_456_789, 399_999_999, 70_000_000_000])(
    'the recount of slower than %d ns lies within',
    (thresholdNs) => {
      const { view, within } = asked({ windowMs, sli: { kind: 'latency', thresholdNs } });
      const bad = within.filter(({ durationNs }) => durationNs > thresholdNs).length;
      expect(view).toMatchObject({ basis: 'histograms', valid: within.length, isSampled: false });
      expect(view.bad.least).toBeLessThanOrEqual(bad);
      expect(view.bad.most).toBeGreaterThanOrEqual(bad);
      // What is in doubt is what is in the bucket, by its very bounds.
      const { bucket } = view;
      const [lowNs, endNs] = [(bucket?.lowMs ?? 0) * 1e6, ((bucket?.highMs ?? 0) + 0.001) * 1e6];
      const doubtful = bucket === null ? 0 : within.filter(({ durationNs: ns }) => ns >= lowNs - 0.5 && ns < endNs - 0.5).length;
      expect(view.bad.most - view.bad.least).toBe(doubtful);
      expect(bucket?.count ?? 0).toBe(doubtful);
      // Two digits: a bucket is at most 1 % wide.
      if (bucket?.highMs != null) expect(bucket.highMs - bucket.lowMs).toBeLessThan(Math.max(0.002, bucket.lowMs * 0.01));
    },
  );

  it('availability and error rate are exact', () => {
    for (const kind of ['availability', 'errorRate'] as const) {
      const { view, within } = asked({ windowMs, sli: { kind }, target: 0.99 });
      const failed = within.filter((served) => served.failed).length;
      expect(view).toMatchObject({ basis: 'counts', valid: within.length, bad: { least: failed, most: failed }, bucket: null });
      expect(view.outcome).toBe(failed <= within.length * 0.01 ? 'met' : 'breached');
    }
  });

  it('is asked of the endpoints that are meant only', () => {
    const { view, within } = asked({ windowMs, endpoint: 'GET /pay' });
    expect(within.length).toBeGreaterThan(0);
    expect(view.valid).toBe(within.length);
  });
});

it('says from when there is data', () => {
  const { view } = asked({ windowMs: 7 * 24 * 60 * MINUTE_MS });
  expect(view.from).toBeLessThan(START_SEC * 1000 - 6 * 24 * 60 * MINUTE_MS);
  expect(view.dataFrom).toBeLessThanOrEqual(START_SEC * 1000);
  // As fine as slots of that age are stored.
  expect(view.dataFrom).toBeGreaterThan((START_SEC - 3600) * 1000);
  expect(asked({ windowMs: 10 * MINUTE_MS }).view.dataFrom).toBe(asked({ windowMs: 10 * MINUTE_MS }).view.from);
});

it.each([
  [0.5, 'met'],
  [0.999, 'breached'],
  [1 - 0.26, 'undecided'],
] as const)('a target of %d is %s', (target, outcome) => {
  const { view } = asked({ target });
  expect(view.outcome).toBe(outcome);
  expect((view.budgetRemaining?.least ?? 0) < 0).toBe(outcome !== 'met');
  expect((view.budgetRemaining?.most ?? 0) < 0).toBe(outcome === 'breached');
});

it('knows nothing of what was never heard', () => {
  expect(engine.views.whatIf({ ...ASKED, service: 'nobody' })).toBeNull();
  expect(engine.views.whatIf({ ...ASKED, endpoint: 'GET /none' })).toBeNull();
});
