/** Which partitions of the delta topic a member takes over, and when it lets them be. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { OwnedCell } from '../../src/service/evaluate/owned-cell.ts';
import { OwnedCells, type OwnedCellsParts } from '../../src/service/evaluate/owned-cells.ts';
import type { TakeOver } from '../../src/service/evaluate/take-over.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

const OF = { topic: 'deltas', partition: 3 };
const POSITION = { offset: 7, anchor: null };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Stand {
  readonly cells: OwnedCells;
  readonly wishes: TakeOver[];
  readonly dropped: () => number;
  readonly goneOn: number[];
  isLive: boolean;
}

/** Taking over is instant; what is taken over knows nothing but its position. */
function stand(change: Partial<OwnedCellsParts> = {}): Stand {
  let dropped = 0;
  const made: Stand = {
    cells: new OwnedCells({
      telemetry: new MemoryTelemetry(),
      isLive: () => made.isLive,
      takeOver: async (wish) => {
        made.wishes.push(wish);
        return { position: POSITION, drop: async () => void dropped++ } as unknown as OwnedCell;
      },
      goOn: (_, position) => void made.goneOn.push(position?.offset ?? 0),
      taken: () => {},
      dropped: () => {},
      ...change,
    }),
    wishes: [],
    dropped: () => dropped,
    goneOn: [],
    isLive: true,
  };
  return made;
}

const begun = (cells: OwnedCells) => cells.begin([OF], new AbortController().signal);

it('a partition whose state went to another owner is taken over again only once the group has answered that it is still ours', async () => {
  const one = stand();
  expect(await begun(one.cells)).toEqual(new Map([['deltas/3', POSITION]]));
  // As after a standstill of the process: the first that it hears is that it was fenced.
  one.isLive = false;
  one.wishes[0]?.lost(new Error('fenced'));
  expect(one.dropped()).toBe(1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(one.wishes).toHaveLength(1);
  one.isLive = true;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(one.goneOn).toEqual([7]);
  expect(one.wishes).toHaveLength(2);
});

it('a partition that the group gave to somebody else meanwhile is not taken over again', async () => {
  const one = stand();
  await begun(one.cells);
  one.isLive = false;
  one.wishes[0]?.lost(new Error('fenced'));
  one.cells.end([OF]);
  one.isLive = true;
  await vi.advanceTimersByTimeAsync(10_000);
  expect([one.wishes.length, one.goneOn.length, one.cells.pending]).toEqual([1, 0, 0]);
});

it('a cell that cannot begin to judge is let go before the partition is taken over once more', async () => {
  let attempts = 0;
  const one = stand({
    taken: () => {
      if (attempts++ === 0) throw new Error('the journal cannot be read');
    },
  });
  const positions = begun(one.cells);
  await vi.advanceTimersByTimeAsync(1_000);
  await positions;
  expect([one.wishes.length, one.dropped(), one.cells.cells.size]).toEqual([2, 1, 1]);
});
