/** What is simulated: one cell is one kind of rollout, many times over. */
import type { ComparatorName } from './comparators/create.ts';
import type { ProductSetup } from './product.ts';
import { plainFleet, type Traffic } from './worlds.ts';

export interface Cell {
  /** Unique and stable: names results and seeds. */
  readonly id: string;
  readonly traffic: Traffic;
  /** How long a rollout is watched. */
  readonly seconds: number;
  readonly product: ProductSetup | null;
  readonly comparators: readonly ComparatorName[];
  readonly runs: number;
  readonly seed: number;
}

const HOUR_SEC = 3600;
/** Promotion must not end a run that is watched for false rollbacks. */
const WATCHED = { minPassMs: HOUR_SEC * 1000 };

export const CELLS: readonly Cell[] = [
  {
    id: 'aa/pods/100',
    traffic: { world: 'pods', rate: 100, fleet: plainFleet(100), degradation: null, onset: 0 },
    seconds: HOUR_SEC,
    product: { policy: WATCHED },
    comparators: [],
    runs: 1000,
    seed: 1,
  },
];
