/** How a position is kept by Kafka's groups: an offset, and its anchor as text in the offset's metadata. */
import type { LogPosition } from './log.ts';

/** `anchor=41@1763757587000`; empty without an anchor. */
export function offsetMetadata({ anchor }: LogPosition): string {
  return anchor === null ? '' : `anchor=${anchor.offset}@${anchor.timestampMs}`;
}

/** What `offsetMetadata` was made of. Null: nothing is committed. Metadata that others wrote gives no anchor. */
export function committedPosition(offset: string, metadata: string | null): LogPosition | null {
  const at = Number(offset);
  if (!Number.isSafeInteger(at) || at < 0) return null;
  const [, anchorOffset, timestampMs] = /^anchor=(\d{1,16})@(-?\d{1,16})$/.exec(metadata ?? '') ?? [];
  if (anchorOffset === undefined || timestampMs === undefined) return { offset: at, anchor: null };
  return { offset: at, anchor: { offset: Number(anchorOffset), timestampMs: Number(timestampMs) } };
}
