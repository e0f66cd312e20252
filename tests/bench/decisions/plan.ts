/** Which cells are simulated and what is demanded of them: all that is published, or a small part that every test run can afford. */
import {
  BEYOND_MARGIN,
  beyondMargin,
  type Cell,
  cold,
  compared,
  DEGRADATIONS,
  healthy,
  promotable,
  sick,
  sickLater,
  threePods,
  uncapped,
  zeroTolerance,
} from './cells.ts';
import { type Demand, detection, falsePromotion, promotion, rollbackRate, rollbacksInAll, rollbacksPerCell } from './demands.ts';
import type { WorldName } from './worlds.ts';

export interface Plan {
  readonly cells: readonly Cell[];
  readonly demands: readonly Demand[];
}

export const RATES = [10, 100] as const;
export const HEALTHY_WORLDS: readonly WorldName[] = ['iid', 'shared', 'ramp', 'clustered', 'pods'];
const DEMANDED_WORLDS: readonly WorldName[] = ['shared', 'ramp', 'clustered', 'pods'];
const ZERO_WORLDS: readonly WorldName[] = ['iid', 'shared', 'ramp', 'clustered'];
const PROMOTABLE_WORLDS: readonly WorldName[] = ['iid', 'shared', 'clustered', 'pods'];
const BETA = 0.05;

/** 1.3 times the medians that the prototype of the procedure had, in seconds at 10 and at 100 requests a second; least share found. */
const SOON: Readonly<Record<string, readonly [number, number, least?: number]>> = {
  'err 30%': [7, 6],
  'err 5%': [26, 13],
  'err 1%': [170, 26],
  'err 0.5%': [860, 86],
  'p50 +30%': [54, 20],
  'p50 +20%': [210, 37, 0.92],
  'p99 x2': [550, 63],
  'p99 x1.5': [2240, 280, 0.85],
};
const SOON_LATER: Readonly<Record<string, readonly [number, number]>> = { 'p50 +30%': [85, 34], 'err 5%': [47, 28] };

const ids = (cells: readonly Cell[]) => cells.map(({ id }) => id);

/** What is published: some 30,000 rollouts. */
export function fullPlan(): Plan {
  const at = <T>(worlds: readonly T[], make: (world: T, rate: number) => Cell) =>
    worlds.flatMap((world) => RATES.map((rate) => make(world, rate)));
  const calm = at(HEALTHY_WORLDS, (world, rate) => (world === 'iid' ? healthy(world, rate, 300) : healthy(world, rate, 1000, 300)));
  const demanded = ids(calm.filter(({ traffic }) => DEMANDED_WORLDS.includes(traffic.world)));
  const zero = at(ZERO_WORLDS, (world, rate) => zeroTolerance(world, rate, 300));
  const warm = RATES.map((rate) => cold(rate, 300, true));
  const notWarm = RATES.map((rate) => cold(rate, 100, false));
  const worse = Object.keys(DEGRADATIONS).flatMap((name) => RATES.map((rate) => sick(name, rate, 200)));
  const later = Object.keys(SOON_LATER).flatMap((name) => RATES.map((rate) => sickLater(name, rate, 200)));
  const promotables = [
    ...PROMOTABLE_WORLDS.flatMap((world) => [promotable(world, 10, 500, 0), promotable(world, 10, 300, 120)]),
    promotable('pods', 100, 200, 0),
    promotable('pods', 100, 200, 120),
  ];
  const beyond = Object.keys(BEYOND_MARGIN).flatMap((name) =>
    RATES.flatMap((rate) => (['iid', 'pods'] as const).map((world) => beyondMargin(name, world, rate, 300))),
  );
  const pods = [
    threePods('stall', 100, 300, true),
    threePods('stall', 100, 300, false),
    threePods('pods', 100, 300, true),
    threePods('pods', 100, 200, true, 'err 5%'),
    threePods('pods', 100, 200, true, 'p50 +30%'),
    threePods('pods', 100, 200, true, 'p99 x2'),
  ];
  const stalls = RATES.map((rate) => ({ ...healthy('stall', rate, 200), comparators: [], comparedRuns: 0 }));
  const bare = uncapped('clustered', 100, 300);
  const naive = compared('iid', 10, 1000, ['zTest']);
  const busy = healthy('pods', 1000, 100, 0);
  return {
    cells: [...calm, ...zero, ...warm, ...notWarm, bare, naive, busy, ...worse, ...later, ...promotables, ...beyond, ...stalls, ...pods],
    demands: [
      rollbacksPerCell('T5', 'healthy, default tolerances', demanded, 4),
      rollbacksInAll('T5', 'healthy, default tolerances', demanded, 8),
      rollbacksPerCell('T5', 'healthy, no tolerance at all', ids(zero), 6),
      rollbacksPerCell('T5', 'cold canaries with the warm-up rule', ids(warm), 1),
      ...Object.entries(SOON).flatMap(([name, [slow, fast, least]]) => [
        detection('T6', `${name}, 10 req/s`, sick(name, 10, 1).id, slow, least),
        detection('T6', `${name}, 100 req/s`, sick(name, 100, 1).id, fast),
      ]),
      ...Object.entries(SOON_LATER).flatMap(([name, [slow, fast]]) => [
        detection('T6', `${name} after 30 minutes, 10 req/s`, sickLater(name, 10, 1).id, slow),
        detection('T6', `${name} after 30 minutes, 100 req/s`, sickLater(name, 100, 1).id, fast),
      ]),
      rollbackRate('T7', 'control: without caps and dispersion, error clumps at 100 req/s', bare.id, 0.8, 1),
      rollbackRate(
        'T7',
        'control: bets on cumulated tables while the split ramps, 100 req/s',
        'healthy/ramp/100',
        0.3,
        1,
        'cumulativeBets',
      ),
      ...notWarm.map(({ id, traffic }) =>
        rollbackRate('T7', `control: cold canaries without the warm-up rule, ${traffic.rate} req/s`, id, 0.9, 1),
      ),
      rollbackRate('T7', 'control: z-test at every second, independent requests, 10 req/s', naive.id, 0.06, 0.13, 'zTest'),
      ...PROMOTABLE_WORLDS.map((world) => promotion('T9', `healthy, world ${world}, 10 req/s`, promotable(world, 10, 1, 0).id, 0.9)),
      falsePromotion('T9', 'beyond the margin from the start', ids(beyond), BETA),
      detection('pods', 'err 5 % on three named pods, 100 req/s', threePods('pods', 100, 1, true, 'err 5%').id, 5),
      rollbackRate('pods', 'stalls on three named pods, 100 req/s', threePods('stall', 100, 1, true).id, 0, 0.01),
    ],
  };
}

/** Small enough for every test run, large enough to fail: the same kinds of demands, negative controls among them. */
export function quickPlan(): Plan {
  const calm = [healthy('clustered', 100, 16, 0), healthy('pods', 10, 24, 0), healthy('ramp', 10, 16, 0)];
  const zero = [zeroTolerance('clustered', 10, 16)];
  const warm = cold(10, 12, true);
  const notWarm = cold(10, 12, false);
  const bare = uncapped('clustered', 100, 12);
  const ramp = compared('ramp', 100, 16, ['cumulativeBets']);
  const naive = compared('iid', 10, 100, ['zTest']);
  const soon = ['err 30%', 'err 5%', 'err 1%', 'p50 +30%', 'p50 +20%', 'p99 x2'];
  const worse = soon.map((name) => sick(name, 100, 15, []));
  const later = sickLater('err 5%', 100, 8);
  const promotables = promotable('iid', 10, 40, 0);
  const beyond = [beyondMargin('errors', 'iid', 10, 30), beyondMargin('p50', 'iid', 10, 30)];
  return {
    cells: [...calm, ...zero, warm, notWarm, bare, ramp, naive, ...worse, later, promotables, ...beyond],
    demands: [
      rollbacksInAll('T5', 'healthy, default tolerances', ids(calm), 0),
      rollbacksInAll('T5', 'healthy, no tolerance at all', ids(zero), 1),
      rollbacksInAll('T5', 'cold canaries with the warm-up rule', [warm.id], 0),
      ...soon.map((name) => detection('T6', `${name}, 100 req/s`, sick(name, 100, 1).id, SOON[name]?.[1] ?? 0)),
      detection('T6', 'err 5% after 30 minutes, 100 req/s', later.id, SOON_LATER['err 5%']?.[1] ?? 0),
      rollbackRate('T7', 'control: without caps and dispersion, error clumps at 100 req/s', bare.id, 0.75, 1),
      rollbackRate('T7', 'control: bets on cumulated tables while the split ramps, 100 req/s', ramp.id, 0.2, 1, 'cumulativeBets'),
      rollbackRate('T7', 'control: cold canaries without the warm-up rule, 10 req/s', notWarm.id, 0.9, 1),
      rollbackRate('T7', 'control: z-test at every second, independent requests, 10 req/s', naive.id, 0.03, 0.2, 'zTest'),
      promotion('T9', 'healthy, independent requests, 10 req/s', promotables.id, 0.6),
      falsePromotion('T9', 'beyond the margin from the start', ids(beyond), BETA),
    ],
  };
}
