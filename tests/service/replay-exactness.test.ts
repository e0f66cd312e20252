/** Senders that export in batches, each at moments of its own, with ticks in between: the replay of what came concludes the very same. */
import { expect, it } from 'vitest';
import { ReplaySession } from '../../src/cli/replay-session.ts';
import { BASELINE, CANARY, rollout } from './config.ts';
import { PipelineStand } from './pipeline-stand.ts';
import { exportRequest } from './traffic.ts';

const STEP_MS = 100;
const TICK_MS = 500;
const ROLLOUT_MS = 30_000;
const LENGTH_MS = 180_000;

/** Four pods, two of them with one request a second. */
const PODS = [
  { release: BASELINE, perSecond: 30, phase: 0.13 },
  { release: BASELINE, perSecond: 1, phase: 0.71 },
  { release: CANARY, perSecond: 20, phase: 0.42 },
  { release: CANARY, perSecond: 1, phase: 0.88 },
];

it.each([
  [500, 12],
  [1_000, 20],
  [5_000, 12],
  [5_000, 40],
  [8_000, 20],
  [12_000, 25],
])('batches every %i ms, one request of the canary in %i failing', (everyMs, failEvery) => {
  const stand = new PipelineStand();
  const recording: Buffer[] = [];
  const sentTo = PODS.map(() => stand.clock.now());
  let startedAt = 0;
  for (let ms = STEP_MS; ms <= LENGTH_MS; ms += STEP_MS) {
    stand.clock.pass(STEP_MS);
    if (ms === ROLLOUT_MS) {
      startedAt = stand.clock.now();
      stand.startRollout();
    }
    for (const [i, { release, perSecond, phase }] of PODS.entries()) {
      if ((ms + Math.floor(phase * everyMs)) % everyMs >= STEP_MS) continue;
      const now = stand.clock.now();
      const isSick = release === CANARY && ms > ROLLOUT_MS;
      const { body } = exportRequest(sentTo[i] ?? now, now, [{ release, perSecond, failEvery: isSick ? failEvery : 0 }]);
      sentTo[i] = now;
      const bytes = Buffer.from(JSON.stringify(body));
      recording.push(bytes);
      stand.pipeline.consume('json', bytes);
    }
    if (ms % TICK_MS === 0) stand.pipeline.tick();
  }

  const { id, service, baseline, canary, generation } = rollout(0);
  const session = new ReplaySession(stand.config, [{ id, service, baseline, canary, generation, startedAt }]);
  for (const bytes of recording) session.consume('json', bytes);
  session.finish();
  const live = stand.run;
  expect(live.state).toBe('rolled_back');
  expect(session.runs()).toEqual([live]);
});
