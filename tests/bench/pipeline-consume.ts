/** What the measured server does with each request: both stages, as the service joins them. */
import type { Consume } from '../../src/receivers/receiver.ts';
import { benchStages } from './stage-a.ts';

const { ingest, engine } = benchStages();

export const consume: Consume = (encoding, bytes) => {
  const now = Date.now();
  const outcome = ingest.consume(encoding, bytes, now);
  if (ingest.flushDue()) {
    engine.merge(ingest.flush());
    engine.advance(now);
  }
  return outcome;
};
