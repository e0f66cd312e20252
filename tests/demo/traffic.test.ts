import { describe, expect, it } from 'vitest';
import { logNormal, seededRandom } from './random.ts';
import { HEALTHY, type PlannedRequest, ROUTES, Traffic } from './traffic.ts';

const START_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;

function minute(behaviour = HEALTHY, share = 0.5, seed = 5): PlannedRequest[] {
  return new Traffic(seed, START_MS).arrivals(START_MS + MINUTE_MS, { checkout: share }, behaviour);
}

const ofPath = (requests: readonly PlannedRequest[], path: string): PlannedRequest[] => requests.filter(({ route }) => route.path === path);

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN;
}

const latencies = (requests: readonly PlannedRequest[]): number[] => requests.map(({ startMs, endMs }) => endMs - startMs);

describe('traffic', () => {
  it('is the same for the same seed and another for another', () => {
    expect(minute()).toEqual(minute());
    expect(minute()).not.toEqual(minute(HEALTHY, 0.5, 6));
  });

  it('does not depend on how often it is asked', () => {
    const traffic = new Traffic(5, START_MS);
    const pieces: PlannedRequest[] = [];
    for (let at = 0; at < 1000; at += 25) pieces.push(...traffic.arrivals(START_MS + at + 25, { checkout: 1, frontend: 1 }, HEALTHY));
    const perRoute = ROUTES.map(({ path }) => ofPath(pieces, path).length);
    ROUTES.forEach(({ perSecond }, index) => {
      expect(Math.abs((perRoute[index] ?? 0) - perSecond)).toBeLessThan(5 * Math.sqrt(perSecond));
    });
    expect(pieces.every(({ startMs }) => startMs >= START_MS && startMs < START_MS + 1000)).toBe(true);
  });

  it.each([0, 0.1, 0.5, 1])('gives a release its share of %d', (share) => {
    const expected = 240 * 60 * share;
    expect(Math.abs(ofPath(minute(HEALTHY, share), '/order/{id}').length - expected)).toBeLessThanOrEqual(5 * Math.sqrt(expected));
  });

  it('gives nothing to a service that is not asked for', () => {
    expect(minute().some(({ route }) => route.service === 'frontend')).toBe(false);
  });

  it('is healthy unless told otherwise: few failures, none of them the fault of the release', () => {
    const requests = minute();
    expect(requests.filter(({ failed }) => failed).length / requests.length).toBeLessThan(0.005);
    expect(requests.some(({ bad }) => bad)).toBe(false);
    expect(quantile(latencies(ofPath(requests, '/checkout')), 0.5)).toBeCloseTo(80, -1);
  });

  it('can make one endpoint slow and leave the others alone', () => {
    const requests = minute({ ...HEALTHY, latencyFactor: 3 });
    expect(Math.abs(quantile(latencies(ofPath(requests, '/checkout')), 0.5) - 240)).toBeLessThan(8);
    expect(Math.abs(quantile(latencies(ofPath(requests, '/order/{id}')), 0.5) - 22)).toBeLessThan(2);
    expect(ofPath(requests, '/checkout').every(({ bad }) => bad)).toBe(true);
    expect(ofPath(requests, '/order/{id}').some(({ bad }) => bad)).toBe(false);
  });

  it('can make another fail', () => {
    const requests = ofPath(minute({ ...HEALTHY, errorRatio: 0.3 }), '/order/{id}');
    const failed = requests.filter((request) => request.failed).length / requests.length;
    expect(Math.abs(failed - 0.3)).toBeLessThan(0.03);
  });
});

describe('draws', () => {
  it('are uniform in [0, 1)', () => {
    const random = seededRandom(1);
    const draws = Array.from({ length: 20_000 }, random);
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    for (const q of [0.1, 0.5, 0.9]) expect(Math.abs(quantile(draws, q) - q)).toBeLessThan(0.015);
  });

  it('have the log-normal quantiles: p84.13 is one sigma above the median', () => {
    const random = seededRandom(2);
    const draws = Array.from({ length: 20_000 }, () => logNormal(random, 100, 0.4));
    expect(Math.abs(quantile(draws, 0.5) - 100)).toBeLessThan(2);
    expect(Math.abs(quantile(draws, 0.8413) - 100 * Math.exp(0.4))).toBeLessThan(4);
  });
});
