/** The stories the demo can tell, and how each should end. */
import type { Decision } from '../../src/model/rollout.ts';
import { type Behaviour, HEALTHY } from './traffic.ts';

export const SCENARIO_NAMES = ['healthy', 'errors', 'latency', 'both', 'no-data'] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

export interface Scenario {
  readonly name: ScenarioName;
  /** What is going to happen, in a sentence. */
  readonly plot: string;
  /** The canary at its start, and from the turn on; null when nothing turns. */
  readonly canary: Behaviour;
  readonly turned: Behaviour | null;
  /** What the turn looks like to a customer. */
  readonly trouble: string;
  /** Whether a rollback signal is the right end. */
  readonly expectsRollback: boolean;
  /** Verdicts that are right when no rollback is due. */
  readonly allowed: readonly Decision[];
  /** How long the deploy system waits for a verdict. */
  readonly decideWithinMs: number;
}

const SLOW: Behaviour = { ...HEALTHY, latencyFactor: 3 };
const FAILING: Behaviour = { ...HEALTHY, errorRatio: 0.3 };
const TEN_MINUTES_MS = 600_000;

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  healthy: {
    name: 'healthy',
    plot: 'the canary is as good as the baseline; nothing may be rolled back',
    canary: HEALTHY,
    turned: null,
    trouble: '',
    expectsRollback: false,
    allowed: ['continue', 'promote'],
    decideWithinMs: TEN_MINUTES_MS,
  },
  errors: {
    name: 'errors',
    plot: 'the canary begins to fail 30 of 100 GET /order/{id}',
    canary: HEALTHY,
    turned: FAILING,
    trouble: '30 of 100 GET /order/{id} fail',
    expectsRollback: true,
    allowed: [],
    decideWithinMs: TEN_MINUTES_MS,
  },
  latency: {
    name: 'latency',
    plot: 'POST /checkout of the canary becomes three times as slow',
    canary: HEALTHY,
    turned: SLOW,
    trouble: 'POST /checkout takes three times as long',
    expectsRollback: true,
    allowed: [],
    decideWithinMs: TEN_MINUTES_MS,
  },
  both: {
    name: 'both',
    plot: 'POST /checkout of the canary becomes three times as slow, and 30 of 100 GET /order/{id} fail',
    canary: HEALTHY,
    turned: { ...SLOW, errorRatio: FAILING.errorRatio },
    trouble: 'POST /checkout takes three times as long and 30 of 100 GET /order/{id} fail',
    expectsRollback: true,
    allowed: [],
    decideWithinMs: TEN_MINUTES_MS,
  },
  'no-data': {
    name: 'no-data',
    plot: 'the canary works, but its telemetry never arrives; not knowing is no reason to roll back, nor to promote',
    canary: { ...HEALTHY, sendsSpans: false },
    turned: null,
    trouble: '',
    expectsRollback: false,
    allowed: ['hold', 'continue'],
    decideWithinMs: 20_000,
  },
};

/** When what happens, in ms after the shop has opened. */
export interface Timetable {
  /** The rollout starts: until then all traffic goes to the baseline. */
  readonly rolloutMs: number;
  /** The canary turns bad. */
  readonly turnMs: number;
  /** The story ends here at the latest. */
  readonly endMs: number;
  /** How long to watch traffic move after a signal. */
  readonly afterSignalMs: number;
}

/** Spreads a story over `seconds` (25 to 600); the time before the turn does not grow with it. */
export function timetable(seconds: number): Timetable {
  const part = Math.min(1, seconds / 45);
  return { rolloutMs: 8000 * part, turnMs: 20_000 * part, endMs: seconds * 1000, afterSignalMs: 7000 * part };
}

/** How a story went. */
export interface Outcome {
  /** Decision of the verdict at the end; null when there was none. */
  readonly decision: Decision | null;
  /** A rollback signal arrived, was verified, and moved traffic. */
  readonly wasRolledBack: boolean;
  /** When the canary became bad and when the signal arrived, epoch ms; null when it did not happen. */
  readonly firstBadAtMs: number | null;
  readonly signalAtMs: number | null;
}

/** Whether the story ended as it should; otherwise what was wrong, in a sentence. */
export function judgeStory(scenario: Scenario, outcome: Outcome): { readonly isRight: boolean; readonly text: string } {
  if (outcome.decision === null) return { isRight: false, text: 'there was no verdict at all' };
  if (!scenario.expectsRollback) {
    if (outcome.wasRolledBack) return { isRight: false, text: 'a release that nothing was known against was rolled back' };
    const isRight = scenario.allowed.includes(outcome.decision);
    return { isRight, text: isRight ? 'nothing was rolled back' : `the verdict should not be ${outcome.decision}` };
  }
  if (!outcome.wasRolledBack || outcome.signalAtMs === null) return { isRight: false, text: 'the bad release was not rolled back' };
  if (outcome.firstBadAtMs === null || outcome.signalAtMs < outcome.firstBadAtMs) {
    return { isRight: false, text: 'the release was rolled back before anything was wrong with it' };
  }
  return { isRight: true, text: 'the bad release was rolled back' };
}
