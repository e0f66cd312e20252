/** Stages of the watchdog's story, each made wrong on purpose in one way. */

import type { StoryStages } from '../../src/service/watchdog/story.ts';
import { type StoryRole, storyStages } from '../../src/service/watchdog/story-stages.ts';

const HISTOGRAM = { digits: 2, highestUs: 60_000_000 };

type Engine = NonNullable<StoryStages['engine']>;

export function goodStages(role: StoryRole = 'all', digits = HISTOGRAM.digits): StoryStages {
  return storyStages({ histogram: { ...HISTOGRAM, digits } }, role);
}

export function withIngest(change: (good: StoryStages['ingest']) => Partial<StoryStages['ingest']>, role: StoryRole = 'all'): StoryStages {
  const stages = goodStages(role);
  const { ingest } = stages;
  const bound = { consume: ingest.consume.bind(ingest), flush: ingest.flush.bind(ingest) };
  return { ...stages, ingest: { ...bound, ...change(bound) } };
}

export function withCarry(change: (good: NonNullable<StoryStages['carry']>) => NonNullable<StoryStages['carry']>): StoryStages {
  const stages = goodStages('evaluate');
  return { ...stages, carry: stages.carry && change(stages.carry) };
}

export function withEngine(change: (good: Engine) => Partial<Engine>): StoryStages {
  const stages = goodStages();
  const { engine } = stages;
  if (engine === null) throw new Error('nothing is judged');
  const bound: Engine = {
    startRollout: engine.startRollout.bind(engine),
    merge: engine.merge.bind(engine),
    advance: engine.advance.bind(engine),
    views: engine.views,
    rollouts: engine.rollouts,
  };
  return { ...stages, engine: { ...bound, ...change(bound) } };
}
