/** The stages of one story, by the same factories as those at work, and with the way of counts between members where the process is one of several. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import { HistogramLayout } from '../../model/histogram-layout.ts';
import type { SlotDeltas } from '../../model/slot-deltas.ts';
import { DeltaReader } from '../../wire/delta-reader.ts';
import { isWireError, wireErrorText } from '../../wire/wire-error.ts';
import { deltaRecords } from '../ingest/delta-records.ts';
import { PartitionedStages } from '../stages.ts';
import type { StoryStages } from './story.ts';
import { storyConfig } from './story-config.ts';

/** What a process does of the whole: all of it, the counting, or the judging of what others counted. */
export type StoryRole = 'all' | 'ingest' | 'evaluate';

const TOPIC = { topic: 'watchdog', partitions: 1 };
const MAX_SERIES = 16;

export function storyStages(config: Pick<Config, 'histogram'>, role: StoryRole): StoryStages {
  const hashSeed = randomBytes(4).readUInt32LE();
  const own = storyConfig(config);
  const { ingest, engine } = new PartitionedStages({ config: own, hashSeed, ...(role !== 'all' && { pods: 'seats' }) });
  const layout = new HistogramLayout(own.histogram.digits, own.histogram.highestUs);
  const reader = new DeltaReader({ layout, maxTotal: MAX_SERIES, maxSeriesOf: () => MAX_SERIES, hashSeed });
  const carry = (flush: SlotDeltas): readonly SlotDeltas[] | string => {
    const read: SlotDeltas[] = [];
    // All spans are of one service, so of one record, whose arrays the next one takes again.
    for (const { value } of deltaRecords(flush, ingest.names, TOPIC)) {
      const deltas = reader.read(value ?? new Uint8Array(0));
      if (isWireError(deltas)) return wireErrorText(deltas);
      read.push(deltas);
    }
    return read;
  };
  return {
    ingest: ingest.partition('watchdog'),
    carry: role === 'all' ? null : carry,
    engine: role === 'ingest' ? null : engine,
  };
}
