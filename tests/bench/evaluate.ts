/** What one second of one endpoint costs in a canary comparison, and what its saved state weighs. */
import type { ArmSlot } from '../../src/evaluate/canary/arm-slot.ts';
import { CanaryComparison } from '../../src/evaluate/canary/comparison.ts';
import { likePods, podSlot } from '../evaluate/pods.ts';
import { canaryPolicy } from '../evaluate/policy.ts';
import { armSlot, LAYOUT, START, seeded } from '../evaluate/world.ts';
import type { Figure } from './figure.ts';

const SLOTS = 2000;
const ROUNDS = 5;
/** Slots are drawn beforehand and dealt again and again, so that only the comparison is measured. */
const HANDS = 64;

interface Load {
  readonly name: string;
  readonly endpoints: number;
  /** Baseline requests per second and endpoint; the canary gets a ninth. */
  readonly rate: number;
  /** Of each release, in lanes round and round; absent where spans name none. */
  readonly pods?: readonly [baseline: number, canary: number];
}

const LOADS: readonly Load[] = [
  { name: 'endpoint of 1,900 req/s', endpoints: 1, rate: 1900 },
  { name: '1,000 endpoints of 20 req/s', endpoints: 1000, rate: 20 },
  { name: 'endpoint of 1,900 req/s by pods', endpoints: 1, rate: 1900, pods: [57, 6] },
  { name: '1,000 endpoints of 20 req/s by pods', endpoints: 1000, rate: 20, pods: [18, 3] },
];

export function benchEvaluate(): Promise<Figure[]> {
  return Promise.resolve(LOADS.flatMap(measured));
}

function measured({ name, endpoints, rate, pods }: Load): Figure[] {
  const random = seeded(1);
  const hands = Array.from({ length: HANDS }, (): readonly [ArmSlot, ArmSlot] => [
    pods === undefined ? armSlot(random, rate, 0.001) : podSlot(random, likePods(pods[0], rate)),
    pods === undefined ? armSlot(random, rate / 9, 0.001) : podSlot(random, likePods(pods[1], rate / 9)),
  ]);
  const names = Array.from({ length: endpoints }, (_, index) => `GET /endpoint/${index}`);
  const comparison = new CanaryComparison(canaryPolicy(), LAYOUT, START);
  const slots = Math.max(30, Math.floor(SLOTS / endpoints));
  const play = (from: number, to: number) => {
    for (let slot = from; slot < to; slot++) {
      names.forEach((endpoint, index) => {
        const [baseline, canary] = hands[(index * 31 + slot) % HANDS] as readonly [ArmSlot, ArmSlot];
        comparison.feed(endpoint, START + slot, baseline, canary);
      });
      comparison.endSlot(START + slot);
      comparison.judge();
    }
  };
  play(0, slots);
  // The least of several rounds is what the work itself takes on a machine that others use too.
  let least = Infinity;
  for (let round = 1; round <= ROUNDS; round++) {
    const begin = performance.now();
    play(round * slots, (round + 1) * slots);
    least = Math.min(least, performance.now() - begin);
  }
  const listed = performance.now();
  const rows = comparison.judge().judgements.length;
  const listing = performance.now() - listed;
  const bytes = JSON.stringify(comparison.snapshot()).length;
  return [
    {
      name: `evaluate/slot, ${name}`,
      unit: 'µs per endpoint',
      value: (least * 1000) / (slots * endpoints),
      goal: pods === undefined ? '<= 25' : '<= 31',
    },
    { name: `evaluate/listing all judgements, ${name}`, unit: 'µs per check', value: (listing * 1000) / rows },
    { name: `evaluate/saved state, ${name}`, unit: 'kB per endpoint', value: bytes / 1000 / endpoints },
  ];
}
