/** Two recordings compared: what is found, what is never said, and what the order of spans, lengths and stray spans change: nothing. */
import { beforeAll, describe, expect, it } from 'vitest';
import { Recording } from '../../src/engine/recording.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import type { ComparedMetric, RecordingComparison } from '../../src/model/recorded-comparison.ts';
import { canaryPolicy } from '../evaluate/policy.ts';
import { seeded } from '../evaluate/world.ts';
import { requestBytes, resourceField } from '../scenarios/otlp-stream.ts';
import { WORLD_START } from '../scenarios/world.ts';
import { compared, recorded, recordingOf, requestsOf, shop, TEN_PERCENT } from '../support/recordings.ts';

let baseline: Recording;
beforeAll(() => {
  baseline = recorded(shop(), 1);
});

function row({ services }: RecordingComparison, metric: string, endpoint = 'GET /cart'): ComparedMetric {
  const found = services.flatMap(({ metrics }) => metrics).find((each) => each.metric === metric && each.endpoint === endpoint);
  if (found === undefined) throw new Error(`no ${metric} of ${endpoint}`);
  return found;
}

function outcomes({ services }: RecordingComparison): string[] {
  return services.flatMap(({ metrics }) => metrics.map(({ outcome }) => outcome));
}

describe('a candidate', () => {
  it('that is as good passes, with every check of the endpoint that carries most traffic', () => {
    const said = compared(baseline, recorded(shop({ version: '2' }), 2));
    expect(said.outcome).toBe('pass');
    for (const metric of ['p50', 'p95', 'p99', 'errors'])
      expect(row(said, metric)).toMatchObject({ outcome: 'pass', reason: 'health_proven' });
  });

  it.each([
    ['half as slow again', { slowdown: 1.5 }, ['p50', 'p95']],
    ['a fifth slower', { slowdown: 1.2 }, ['p50']],
    ['failing in 3 of 100 requests', { errorRatio: 0.03 }, ['errors']],
  ])('%s fails, by the checks that show it', (_name, behaviour, metrics) => {
    const said = compared(baseline, recorded(shop({ behaviour: () => behaviour }), 2));
    expect(said.outcome).toBe('fail');
    for (const metric of metrics) expect(row(said, metric).outcome).toBe('fail');
    if (!metrics.includes('errors')) expect(row(said, 'errors').outcome).toBe('pass');
  });

  it('that is worse on one quiet endpoint fails for that', () => {
    const behaviour = (_second: number, endpoint: string) => (endpoint === 'POST /checkout' ? { slowdown: 2 } : {});
    const said = compared(baseline, recorded(shop({ behaviour }), 2));
    expect(said.outcome).toBe('fail');
    expect(row(said, 'p50', 'POST /checkout').outcome).toBe('fail');
    expect(row(said, 'p50').outcome).toBe('pass');
  });

  it('within the limit is not called worse, and beyond it is not called healthy', () => {
    for (let seed = 2; seed < 7; seed++) {
      const within = compared(baseline, recorded(shop({ behaviour: () => ({ slowdown: 1.08 }) }), seed));
      expect(outcomes(within)).not.toContain('fail');
      const beyond = compared(baseline, recorded(shop({ behaviour: () => ({ slowdown: 1.3 }) }), seed));
      for (const { metrics } of beyond.services) {
        for (const { outcome, change, limit } of metrics) {
          if (outcome === 'pass' && limit.kind === 'latency') expect(change?.estimate).toBeLessThanOrEqual(limit.harm.ratio);
        }
      }
    }
  });

  it('that is better passes or stays unproven, and never fails', () => {
    const said = compared(baseline, recorded(shop({ behaviour: () => ({ slowdown: 0.6, errorRatio: 0 }) }), 2));
    expect(said.outcome).toBe('pass');
    expect(row(said, 'p50').change?.estimate).toBeCloseTo(-0.4, 1);
  });

  it('with too little load is inconclusive, and says from when on a regression would show', () => {
    const few = shop({ rate: 10 });
    const said = compared(recorded(few, 1), recorded(few, 2));
    expect(said.outcome).toBe('inconclusive');
    expect(row(said, 'p95')).toMatchObject({ outcome: 'inconclusive', reason: 'not_judgeable', smallest: { kind: 'latency' } });
    expect(row(said, 'errors')).toMatchObject({ outcome: 'inconclusive', reason: 'not_judgeable', smallest: { kind: 'errors' } });
    expect(row(said, 'p99')).toMatchObject({ outcome: 'inconclusive', reason: 'too_few_samples', smallest: null });
  });
});

describe('values', () => {
  it('are those of the spans: counts to the digit, quantiles within a bucket', () => {
    const at = (second: number, durationUs: number, failed: boolean) => ({
      endUs: (WORLD_START + second * 1000) * 1000 + 500_000,
      durationUs,
      endpoint: 'GET /cart',
      failed,
    });
    const resource = resourceField({ 'service.name': 'shop', 'service.version': '1' });
    const made = (slow: number) =>
      recordingOf(
        Array.from({ length: 20 }, (_, second) =>
          requestBytes(
            resource,
            Array.from({ length: 50 }, (_unused, n) => at(second, n < 10 ? slow : 20_000, n === 49)),
          ),
        ),
      );
    const said = compared(made(40_000), made(60_000));
    expect(row(said, 'errors')).toMatchObject({
      baseline: { requests: 1000, failed: 20, value: 0.02 },
      candidate: { requests: 1000, failed: 20, value: 0.02 },
      change: { estimate: 0 },
    });
    const p95 = row(said, 'p95');
    expect((p95.baseline.value ?? 0) / 40_000).toBeCloseTo(1, 2);
    expect((p95.candidate.value ?? 0) / 60_000).toBeCloseTo(1, 2);
    expect(p95.change?.estimate).toBeCloseTo(0.5, 2);
    expect(row(said, 'p50').change?.estimate).toBe(0);
  });
});

describe('a recording and itself', () => {
  it.each([
    [shop(), 60],
    [shop({ rate: 20 }), 30],
    [shop({ behaviour: (second) => ({ slowdown: second < 30 ? 1 : 5, errorRatio: second < 30 ? 0 : 0.3 }) }), 60],
  ])('never differ', (pods, seconds) => {
    const requests = requestsOf([pods], seconds, 3);
    const [one, two] = [recordingOf(requests), recordingOf(requests)];
    const said = compared(one, two);
    expect(outcomes(said)).not.toContain('fail');
    expect(said.outcome).not.toBe('fail');
    for (const { metrics } of said.services)
      for (const { change, logE } of metrics) expect([change?.estimate, logE <= 0]).toEqual([0, true]);
    expect(compared(two, one)).toEqual(said);
  });
});

it('of 40 pairs of healthy load tests none fails', () => {
  const failed: number[] = [];
  for (let seed = 0; seed < 40; seed++) {
    const said = compared(recorded(shop({ rate: 100 }), 100 + 2 * seed), recorded(shop({ rate: 100 }), 101 + 2 * seed));
    if (outcomes(said).includes('fail')) failed.push(seed);
  }
  expect(failed).toEqual([]);
});

describe('the same is said', () => {
  it('whatever the order of the spans, and however they are cut into flushes', () => {
    const requests = requestsOf([shop({ behaviour: () => ({ slowdown: 1.3 }) })], 60, 2);
    const random = seeded(9);
    const shuffled = requests.map((bytes) => ({ bytes, key: random() })).sort((a, b) => a.key - b.key);
    const inOrder = compared(baseline, recordingOf(requests));
    expect(
      compared(
        baseline,
        recordingOf(
          shuffled.map(({ bytes }) => bytes),
          7,
        ),
      ),
    ).toEqual(inOrder);
  });

  it('when a span strayed in from another day', () => {
    const requests = requestsOf([shop()], 60, 2);
    const stray = requestBytes(resourceField({ 'service.name': 'shop', 'service.version': '1' }), [
      { endUs: (WORLD_START - 86_400_000) * 1000, durationUs: 1000, endpoint: 'GET /cart', failed: false },
    ]);
    const without = compared(baseline, recordingOf(requests));
    const withIt = compared(baseline, recordingOf([stray, ...requests]));
    expect(withIt.services[0]?.metrics).toEqual(without.services[0]?.metrics);
    expect(withIt.services[0]?.candidate.requests).toBe((without.services[0]?.candidate.requests ?? 0) + 1);
  });

  it('when the candidate goes on for longer: what is left over is compared with nothing', () => {
    const requests = requestsOf([shop()], 120, 2);
    const long = compared(recorded(shop(), 1, 60), recordingOf(requests));
    expect(long.services[0]?.comparedMs).toBe(60_000);
    const counted = row(long, 'errors').candidate.requests + row(long, 'errors', 'POST /checkout').candidate.requests;
    expect(counted).toBeLessThan((long.services[0]?.candidate.requests ?? 0) * 0.55);
  });
});

it('what a longer baseline has left over lets a short candidate be judged sooner', () => {
  const candidate = () => recorded(shop({ rate: 60 }), 2, 60);
  const longer = compared(recorded(shop({ rate: 60 }), 1, 300), candidate());
  const equal = compared(recorded(shop({ rate: 60 }), 1, 60), candidate());
  const proven = (said: RecordingComparison) => outcomes(said).filter((outcome) => outcome === 'pass').length;
  expect(proven(longer)).toBeGreaterThan(proven(equal));
  expect(longer.services[0]?.comparedMs).toBe(equal.services[0]?.comparedMs);
});

describe('what only one recording has', () => {
  it('is named and is neither good nor bad', () => {
    const said = compared(
      recorded(shop({ endpoints: { 'GET /cart': 3, 'GET /gone': 1 } }), 1),
      recorded(shop({ endpoints: { 'GET /cart': 3, 'GET /new': 1 } }), 2),
    );
    expect(said.services[0]?.uncompared).toMatchObject([
      { endpoint: 'GET /gone', reason: 'no_canary', candidateRequests: 0 },
      { endpoint: 'GET /new', reason: 'no_baseline', baselineRequests: 0 },
    ]);
    expect(said.outcome).toBe('pass');
  });

  it('keeps from passing when it carries most of the traffic', () => {
    const said = compared(
      recorded(shop({ endpoints: { 'GET /cart': 1, 'GET /gone': 3 } }), 1),
      recorded(shop({ endpoints: { 'GET /cart': 1, 'GET /new': 3 } }), 2),
    );
    expect(said.outcome).toBe('inconclusive');
  });

  it('may be a whole service', () => {
    const said = compared(recorded([shop(), shop({ service: 'gone' })], 1), recorded(shop(), 2));
    expect(said.services.map(({ service, outcome, reason }) => [service, outcome, reason])).toEqual([
      ['gone', 'inconclusive', 'no_canary'],
      ['shop', 'pass', 'health_proven'],
    ]);
  });
});

it('alpha is shared by the services that are compared, so that it holds for all of them', () => {
  const two = [shop(), shop({ service: 'other' })];
  const both = compared(recorded(two, 1), recorded(two, 2));
  const alone = compared(recorded(two, 1), recorded(two, 2), { service: 'shop' });
  const needed = (said: RecordingComparison) =>
    said.services.find(({ service }) => service === 'shop')?.metrics[0]?.logNeeded ?? Number.NaN;
  expect(needed(both) - needed(alone)).toBeCloseTo(Math.LN2, 9);
  expect(alone.services).toHaveLength(1);
});

it('recordings that are sampled by different rules are not compared', () => {
  const sampled = shop({ recorded: (request, random) => (random() < 0.5 ? { ...request, traceState: 'ot=th:8' } : null) });
  const said = compared(baseline, recorded(sampled, 2));
  expect(said.outcome).toBe('inconclusive');
  expect(new Set(said.services[0]?.metrics.map(({ reason }) => reason))).toEqual(new Set(['biased_sampling']));
});

it('what the policy mutes is listed and not judged', () => {
  const endpoints = [{ endpoint: 'POST /**', weight: 1, isCritical: false, isMuted: true }];
  const { checks } = canaryPolicy();
  const policy = { ...TEN_PERCENT, endpoints, checks: { ...checks, p99: { ...checks.p99, isMuted: true } } };
  const behaviour = (_second: number, endpoint: string) => (endpoint === 'POST /checkout' ? { slowdown: 3 } : {});
  const said = compared(baseline, recorded(shop({ behaviour }), 2), { policy });
  expect(said.outcome).toBe('pass');
  expect(said.services[0]?.metrics.map(({ endpoint, metric }) => `${metric} ${endpoint}`)).toEqual([
    'p50 GET /cart',
    'p95 GET /cart',
    'errors GET /cart',
  ]);
  expect(said.services[0]?.uncompared).toMatchObject([{ endpoint: 'POST /checkout', reason: 'muted' }]);
});

it('endpoints beyond those that are judged are listed, and the busiest are judged', () => {
  const few = Object.fromEntries(Array.from({ length: 1010 }, (_, n) => [`GET /part/${n}`, n === 1009 ? 500 : 1]));
  const parts = (seed: number) => recordingOf(requestsOf([shop({ rate: 1500, endpoints: few })], 20, seed), 50, undefined, 2000);
  const [service] = compared(parts(1), parts(2)).services;
  const judged = new Set(service?.metrics.map(({ endpoint }) => endpoint));
  expect(judged.has('GET /part/1009')).toBe(true);
  expect(judged.size).toBe(1000);
  expect(service?.uncompared.length).toBe(10);
  expect(new Set(service?.uncompared.map(({ reason }) => reason))).toEqual(new Set(['overflow']));
});

it('harm that only all endpoints together prove is told as theirs', () => {
  const endpoints = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`GET /part/${n}`, 1]));
  const parts = (slowdown: number) => shop({ rate: 250, endpoints, behaviour: () => ({ slowdown }) });
  const said = compared(recorded(parts(1), 1), recorded(parts(1.4), 2));
  expect(said.outcome).toBe('fail');
  const failed = said.services[0]?.metrics.filter(({ outcome }) => outcome === 'fail') ?? [];
  expect(failed.map(({ metric, endpoint }) => `${metric} ${endpoint}`)).toEqual(['p50 (all)']);
  expect(failed[0]?.change?.estimate).toBeCloseTo(0.4, 1);
});

it('a recording with more than can be kept is refused, and says what to do', () => {
  const requests = requestsOf([shop()], 5, 1);
  expect(() => recordingOf(requests, 5, new Recording(new HistogramLayout(), 2000))).toThrow(/record less time/);
});
