/** Reads windows longer than memory holds from slots that the store kept. */
import type { StoredSlot } from '../model/checkpoint.ts';
import type { Counts } from '../model/distribution.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import { BlockSum } from './block-sum.ts';
import type { Selection, SparseDistribution } from './sparse-distribution.ts';
import { checkedBlock } from './window-note.ts';

/**
 * Latencies of `series` over all of `slots`. The caller chooses slots that do not overlap: a level's slots contain those of finer levels.
 * Throws PermanentError when a slot is corrupt or of another layout.
 */
export function distributionFrom(
  slots: readonly StoredSlot[],
  series: readonly number[],
  layout: HistogramLayout,
  which: Selection,
): SparseDistribution {
  const sum = new BlockSum(layout);
  for (const { bytes } of slots) sum.add(checkedBlock(bytes, layout), series);
  return sum.takeDistribution(which);
}

/** Counts of `series` over all of `slots`, as `distributionFrom`. */
export function countsFrom(slots: readonly StoredSlot[], series: readonly number[], layout: HistogramLayout): Counts {
  const sum = new BlockSum(layout);
  for (const { bytes } of slots) sum.add(checkedBlock(bytes, layout), series, true);
  return sum.takeCounts();
}
