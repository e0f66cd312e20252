/** What a canary could show is planned with the traffic of the last minutes. */
import { describe, expect, it } from 'vitest';
import type { Outlook } from '../../src/model/outlook.ts';
import type { OutlookView } from '../../src/model/views.ts';
import type { Stages } from '../../src/service/stages.ts';
import { encodeRequest } from '../support/otlp-proto.ts';
import { testStages } from '../support/test-stages.ts';

const START_SEC = 1_800_000_000;

interface Stream {
  readonly endpoint: string;
  readonly release: string;
  readonly perSecond: number;
  /** Every so many-th request fails; 0: none. */
  readonly failEvery: number;
}

/** `seconds` of these streams through both stages: latencies from 10 to 109 ms. */
function streamed(seconds: number, streams: readonly Stream[]): Stages {
  const stages = testStages();
  let sent = 0;
  for (let second = 0; second < seconds; second++) {
    const now = (START_SEC + second) * 1000 + 900;
    stages.ingest.consume(
      'protobuf',
      encodeRequest({
        resourceSpans: streams.map(({ endpoint, release, perSecond, failEvery }) => ({
          resource: {
            attributes: [
              { key: 'service.name', value: { stringValue: 'shop' } },
              { key: 'service.version', value: { stringValue: release } },
            ],
          },
          scopeSpans: [
            {
              spans: Array.from({ length: perSecond }, (_, index) => {
                sent++;
                const endNs = BigInt(START_SEC + second) * 1_000_000_000n + BigInt(index) * 1_000_000n;
                return {
                  name: endpoint,
                  kind: 2,
                  startTimeUnixNano: endNs - BigInt(10 + (sent % 100)) * 1_000_000n,
                  endTimeUnixNano: endNs,
                  attributes: [
                    { key: 'http.request.method', value: { stringValue: 'GET' } },
                    { key: 'http.route', value: { stringValue: endpoint.replace('GET ', '') } },
                  ],
                  status: { code: failEvery > 0 && sent % failEvery === 0 ? 2 : 0 },
                };
              }),
            },
          ],
        })),
      }),
      now,
    );
    if (stages.ingest.flushDue()) stages.engine.merge(stages.ingest.flush());
    stages.engine.advance(now);
  }
  stages.engine.merge(stages.ingest.flush());
  return stages;
}

const QUERY = { service: 'shop', canaryShare: 0.1, withinMs: null };

function check(view: OutlookView | null, name: string): Outlook {
  const found = view?.checks.find((outlook) => outlook.check === name);
  if (found === undefined) throw new Error(`no outlook of ${name}`);
  return found;
}

describe('the outlook of a service', () => {
  const { engine } = streamed(120, [
    { endpoint: 'GET /cart', release: '1', perSecond: 60, failEvery: 200 },
    { endpoint: 'GET /rare', release: '1', perSecond: 1, failEvery: 0 },
    { endpoint: 'GET /cart', release: '0', perSecond: 4, failEvery: 2 },
  ]);
  const view = engine.views.outlook(QUERY);

  it('is planned against the release that carries most of the traffic, with the traffic of all', () => {
    expect(view).toMatchObject({ release: '1', endpoints: 2, alpha: 0.01, withinMs: 3_600_000 });
    expect(view?.rate).toBeCloseTo(65, -0.5);
  });

  it('finds errors on a busy endpoint soon, whatever another release does', () => {
    const errors = check(view, 'errors GET /cart');
    expect(errors.isJudgeable).toBe(true);
    expect(errors.neededMs).toBeGreaterThan(5_000);
    expect(errors.neededMs).toBeLessThan(600_000);
    const alone = streamed(120, [{ endpoint: 'GET /cart', release: '1', perSecond: 64, failEvery: 200 }]).engine.views.outlook(QUERY);
    expect(errors.neededMs).toBeLessThan(1.3 * (check(alone, 'errors GET /cart').neededMs ?? 0));
  });

  it('takes longer where there is less traffic, and for a smaller share', () => {
    const busy = check(view, 'errors GET /cart').neededMs ?? Number.NaN;
    const rare = check(view, 'errors GET /rare').neededMs ?? Number.POSITIVE_INFINITY;
    const share = check(engine.views.outlook({ ...QUERY, canaryShare: 0.01 }), 'errors GET /cart').neededMs ?? Number.POSITIVE_INFINITY;
    expect(rare).toBeGreaterThan(busy);
    expect(share).toBeGreaterThan(busy);
  });

  it('finds smaller regressions in more time', () => {
    const smallest = (withinMs: number): number => {
      const { smallest: effect } = check(engine.views.outlook({ ...QUERY, withinMs }), 'errors GET /cart');
      return effect?.kind === 'errors' ? effect.addRatio : Number.NaN;
    };
    expect(smallest(7_200_000)).toBeLessThan(smallest(900_000));
  });

  it('is none without traffic', () => {
    expect(engine.views.outlook({ ...QUERY, service: 'nobody' })).toBeNull();
  });

  it('changes nothing', () => {
    expect(engine.views.outlook(QUERY)).toEqual(view);
  });
});
