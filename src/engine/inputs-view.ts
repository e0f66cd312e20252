/** Says which sources judging waits for, as a status shows it. */
import { type InputsView, type LaggingSource, MAX_LAGGING, MAX_QUARANTINED, type QuarantinedRecord } from '../model/inputs-view.ts';
import { textOrder } from '../model/text-order.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { SourceBook } from './source-book.ts';

/** Members report several times a second, and partitions are asked for their ends as often: less than this behind is nothing to tell of. */
const BEHIND_MS: DurationMs = 10_000;
/** What was set aside longer ago is shown no more: somebody has looked, or nobody will. */
const SHOWN_MS: DurationMs = 24 * 3_600_000;

/** At `now`, the wall clock. `quarantined`: newest last. */
export function inputsView(book: SourceBook, now: EpochMs, quarantined: readonly QuarantinedRecord[] = []): InputsView {
  const all = book.sources(now);
  const streamTime = book.streamTime(now);
  const isKnown = Number.isFinite(streamTime);
  const behind = all.filter(({ completeUntilMs, isWaitedFor }) => !isWaitedFor || now - completeUntilMs > BEHIND_MS);
  const lagging = behind.map(
    ({ source, completeUntilMs, movedAt, isWaitedFor }): LaggingSource => ({
      source,
      completeUntil: Number.isFinite(completeUntilMs) ? completeUntilMs : null,
      stillSince: Number.isFinite(movedAt) ? movedAt : null,
      isWaitedFor,
    }),
  );
  const givenUp = behind.filter(({ isWaitedFor }) => !isWaitedFor).length;
  return {
    streamTime: isKnown ? streamTime : null,
    lagMs: isKnown ? now - streamTime : null,
    doubt: book.doubt(now),
    sources: all.length,
    waitedFor: behind.length - givenUp,
    givenUp,
    lagging: lagging.sort(gravestFirst).slice(0, MAX_LAGGING),
    quarantined: quarantined
      .filter(({ at }) => now - at < SHOWN_MS)
      .slice(-MAX_QUARANTINED)
      .reverse(),
  };
}

/** Of several books that hear of the same sources, as the one that is the furthest behind has it. */
export function mergedInputs(views: readonly (InputsView | null)[]): InputsView | null {
  const known = views.filter((view) => view !== null);
  const [first] = known;
  if (first === undefined) return null;
  const slowest = known.reduce((a, b) => ((b.streamTime ?? Number.NEGATIVE_INFINITY) < (a.streamTime ?? Number.NEGATIVE_INFINITY) ? b : a));
  const lagging = new Map<string, LaggingSource>();
  for (const source of known.flatMap((view) => view.lagging).sort(gravestFirst)) {
    if (!lagging.has(source.source)) lagging.set(source.source, source);
  }
  const quarantined = new Map(known.flatMap((view) => view.quarantined).map((record) => [`${record.source} ${record.offset}`, record]));
  const most = (of: (view: InputsView) => number): number => Math.max(...known.map(of));
  const doubts = known.map(({ doubt }) => doubt);
  return {
    streamTime: slowest.streamTime,
    lagMs: slowest.lagMs,
    doubt: doubts.find((doubt) => doubt === 'input_gap') ?? doubts.find((doubt) => doubt !== null) ?? null,
    sources: most(({ sources }) => sources),
    waitedFor: most(({ waitedFor }) => waitedFor),
    givenUp: most(({ givenUp }) => givenUp),
    lagging: [...lagging.values()].slice(0, MAX_LAGGING),
    quarantined: [...quarantined.values()].sort((a, b) => b.at - a.at || b.offset - a.offset).slice(0, MAX_QUARANTINED),
  };
}

function gravestFirst(a: LaggingSource, b: LaggingSource): number {
  if ((a.completeUntil === null) !== (b.completeUntil === null)) return a.completeUntil === null ? -1 : 1;
  if (a.isWaitedFor !== b.isWaitedFor) return a.isWaitedFor ? 1 : -1;
  return (a.completeUntil ?? 0) - (b.completeUntil ?? 0) || textOrder(a.source, b.source);
}
