/** A rollout from its first span to its end, told through all stages within some milliseconds: which stage made something else of it, if any. */
import type { Decision, Engine } from '../../engine.ts';
import type { PartitionIngest } from '../../ingest/partitioned-ingest.ts';
import type { Signal } from '../../model/rollout.ts';
import type { SlotDeltas } from '../../model/slot-deltas.ts';
import type { EpochMs } from '../../model/time.ts';
import type { WatchdogPart } from '../../model/watchdog-view.ts';
import type { Finding } from './finding.ts';
import {
  FAILED_PER_RELEASE,
  PER_RELEASE,
  STORY_BASELINE,
  STORY_CANARY,
  STORY_RELEASE_BY,
  STORY_SERVICE,
  storySecond,
} from './story-spans.ts';

/** Stages of their own for one story, made as the live ones are. */
export interface StoryStages {
  readonly ingest: Pick<PartitionIngest, 'consume' | 'flush'>;
  /** The way of counts to another member; null: they stay in the process. Text says why they cannot be read there. */
  readonly carry: ((deltas: SlotDeltas) => readonly SlotDeltas[] | string) | null;
  /** Null: counts are not judged here. */
  readonly engine: Pick<Engine, 'startRollout' | 'merge' | 'advance' | 'views' | 'rollouts'> | null;
}

export type StoryKind = 'bad' | 'healthy';

export interface Told {
  /** Every stage up to the first that is wrong. */
  readonly findings: readonly Finding[];
  /** What the rollout led to; null: the story did not come so far. */
  readonly signal: Signal | null;
}

/** The verdict is due after 12 s. */
const STORY_SECONDS = 15;
const RELEASES = 2;
const ROLLOUT = 'slipstream-watchdog';

/** The order in which spans pass them. */
const CHAIN: readonly WatchdogPart[] = ['decode', 'aggregate', 'wire', 'window', 'evaluate', 'decide'];

/** Where the story went wrong. */
class Flaw extends Error {}

/** `until`: the story ends at about this time. Never throws: what a stage throws is its fault. */
export function tellStory(kind: StoryKind, stages: StoryStages, until: EpochMs): Told {
  const seen = new Set<WatchdogPart>();
  let part: WatchdogPart = 'decode';
  const at = (next: WatchdogPart): void => {
    seen.add(next);
    part = next;
  };
  let signal: Signal | null = null;
  let fault: string | null = null;
  try {
    signal = told(kind, stages, until, at);
  } catch (error) {
    const why = error instanceof Flaw ? error.message : `it failed: ${error instanceof Error ? error.message : String(error)}`;
    fault = `a made-up ${kind} canary: ${why}`;
  }
  const before = CHAIN.slice(0, CHAIN.indexOf(part)).filter((one) => seen.has(one));
  return { findings: [...before.map((one): Finding => ({ part: one, fault: null })), { part, fault }], signal };
}

function told(kind: StoryKind, { ingest, carry, engine }: StoryStages, until: EpochMs, at: (part: WatchdogPart) => void): Signal | null {
  const startMs = (Math.floor(until / 1000) - STORY_SECONDS) * 1000;
  if (engine !== null) {
    at('decide');
    const started = engine.startRollout(
      {
        id: ROLLOUT,
        service: STORY_SERVICE,
        baseline: { [STORY_RELEASE_BY]: STORY_BASELINE },
        canary: { [STORY_RELEASE_BY]: STORY_CANARY },
        generation: 1,
      },
      startMs,
    );
    if (started.kind !== 'started') throw new Flaw(`its run should start, and ${started.kind} was the answer`);
  }
  const spans = RELEASES * PER_RELEASE;
  const failed = kind === 'bad' ? FAILED_PER_RELEASE : 0;
  const decisions: Decision[] = [];
  for (let second = 0; second < STORY_SECONDS; second++) {
    const fromMs = startMs + second * 1000;
    const nowMs = fromMs + 1000;
    at('decode');
    const outcome = ingest.consume('protobuf', storySecond(fromMs, kind), nowMs);
    if (outcome.kind !== 'accepted') throw new Flaw(`its spans should be taken, and were ${outcome.kind}: ${outcome.message}`);
    expectEqual('spans taken', outcome.accepted - outcome.rejected, spans);
    at('aggregate');
    const flush = ingest.flush({ source: ROLLOUT, epoch: '1', sequence: second + 1 });
    expectCounted([flush], spans, failed);
    let flushes: readonly SlotDeltas[] = [flush];
    if (carry !== null) {
      at('wire');
      const carried = carry(flush);
      if (typeof carried === 'string') throw new Flaw(`its counts cannot be read: ${carried}`);
      expectCounted(carried, spans, failed);
      flushes = carried;
    }
    if (engine === null) continue;
    at('window');
    for (const deltas of flushes) engine.merge(deltas);
    at('evaluate');
    decisions.push(...engine.advance(nowMs));
  }
  return engine === null ? null : ended(kind, engine, decisions, startMs + STORY_SECONDS * 1000, at);
}

function ended(
  kind: StoryKind,
  engine: NonNullable<StoryStages['engine']>,
  decisions: readonly Decision[],
  now: EpochMs,
  at: (part: WatchdogPart) => void,
): Signal {
  const failed = kind === 'bad' ? FAILED_PER_RELEASE : 0;
  at('window');
  const objective = engine.views.status(60_000, now, STORY_SERVICE).services[0]?.objectives[0]?.judgement;
  if (objective?.evidence.kind !== 'objective') throw new Flaw('its requests should be counted for an objective, and there is none');
  expectEqual('requests in the window', objective.evidence.valid, STORY_SECONDS * RELEASES * PER_RELEASE);
  expectEqual('good requests in the window', objective.evidence.good, STORY_SECONDS * (RELEASES * PER_RELEASE - failed));
  at('evaluate');
  expectEqual('its objective', objective.outcome, kind === 'bad' ? 'fail' : 'pass');
  const run = engine.rollouts.find(ROLLOUT)?.view();
  if (run === undefined) throw new Flaw('its run should be there, and is not');
  const broken = decisions.find(({ fault }) => fault !== null);
  if (broken !== undefined) throw new Flaw(`its run broke: ${broken.fault?.split('\n', 1)[0]}`);
  const { logWealth, logLimit, decision } = run.verdict;
  expectEqual('the evidence of harm', logWealth >= logLimit ? 'enough' : 'too little', kind === 'bad' ? 'enough' : 'too little');
  const errors = run.judgements.find(({ check }) => check.startsWith('errors '))?.outcome ?? 'missing';
  if (kind === 'healthy') expectEqual('the comparison of errors', errors, 'pass');
  at('decide');
  expectEqual('the verdict', decision, kind === 'bad' ? 'rollback' : 'promote');
  const signals = decisions.flatMap((decision) => (decision.signal === null ? [] : [decision.signal]));
  const actions = signals.map(({ action }) => action).join(', ');
  expectEqual('what leaves', actions, kind === 'bad' ? 'rollback' : 'promote');
  return signals[0] as Signal;
}

function expectCounted(flushes: readonly SlotDeltas[], spans: number, failed: number): void {
  expectEqual('spans counted', sum(flushes, 'count'), spans);
  expectEqual('failed spans counted', sum(flushes, 'failed'), failed);
}

function sum(flushes: readonly SlotDeltas[], column: 'count' | 'failed'): number {
  let total = 0;
  for (const flush of flushes) for (let row = 0; row < flush.size; row++) total += flush[column][row] ?? 0;
  return total;
}

function expectEqual(what: string, found: number | string, expected: number | string): void {
  if (found !== expected) throw new Flaw(`${what} should be ${expected} and is ${found === '' ? 'nothing' : found}`);
}
