/** A gap in a log as judging is told of it. */
import { type LogGap, partitionName } from '../kafka/log.ts';
import type { SourceGap } from '../model/source-progress.ts';

export function sourceGap(gap: LogGap): SourceGap {
  const { reason, from, to, fromMs, toMs } = gap;
  const source = partitionName(gap);
  return { source, reason, fromMs, toMs, text: `${source}: offsets ${from} to ${to} ${WHAT[reason]}` };
}

const WHAT: Readonly<Record<LogGap['reason'], string>> = {
  retention: 'were deleted before they were read',
  recreated: 'were lost with the topic, which was made again',
  truncated: 'are gone from the end of the log, and may come again',
};
