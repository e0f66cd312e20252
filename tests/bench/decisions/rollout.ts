/** Simulates one rollout and lets all methods of a cell judge the same traffic. */
import type { Cell } from './cells.ts';
import { createComparators, type MethodName } from './comparators/create.ts';
import type { Said } from './method.ts';
import { Product } from './product.ts';
import { Stream } from './stream.ts';
import type { Traffic } from './worlds.ts';

/** Seconds of the baseline before the canary. */
const BEFORE_SEC = 300;
/** So many more seconds make the watermark pass the last one that counts. */
const LAG_SEC = 2;

export type Outcome = Readonly<Partial<Record<MethodName, Said>>>;

/** Cells with the same traffic have the same rollouts, whoever judges them and whether or not their spans name the pods. */
function seedOf({ fleet, ...traffic }: Traffic): number {
  let hash = 0x811c9dc5;
  for (const char of JSON.stringify([traffic, fleet.canaryPods, fleet.baselinePods])) {
    hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193);
  }
  return hash;
}

/** What each method of `cell` says of its rollout number `index`; the same whenever and wherever it is simulated. */
export function simulate(cell: Cell, index: number): Outcome {
  const stream = new Stream(cell.traffic, BEFORE_SEC, [seedOf(cell.traffic), index]);
  const product = cell.product === null ? null : new Product(cell.product);
  const others = createComparators(index < cell.comparedRuns ? cell.comparators : []);
  while (stream.second < cell.seconds + LAG_SEC - 1) {
    stream.next();
    if (product !== null && !product.isDone) product.receive(stream.second, stream.deltas);
    let isDone = product?.isDone ?? true;
    for (const [, comparator] of others) {
      if (!comparator.isDone && stream.second < cell.seconds) comparator.tick(stream.second, stream);
      isDone &&= comparator.isDone;
    }
    if (isDone) break;
  }
  const said = others.map(([name, comparator]): [MethodName, Said] => [name, comparator.said]);
  if (product !== null) said.unshift(['slipstream', product.said]);
  return Object.fromEntries(said);
}
