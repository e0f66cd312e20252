/** Answers queries one after the other, each in small steps between which everything else goes on. */
import type { DurationMs, EpochMs } from '../../model/time.ts';
import { Evaluation } from './evaluate.ts';
import type { MetricSource } from './metric-source.ts';
import { parseQuery } from './parse-query.ts';
import { planQuery } from './plan-query.ts';
import { QueryError } from './query-error.ts';
import type { Steps } from './query-time.ts';
import { typeOf } from './query-tree.ts';
import { type LabelSet, NO_LABELS, type Value } from './sample.ts';

/** Queries that wait for their turn. */
const MAX_WAITING = 100;
/** A step of work is over after this long. */
const PACE_MS = 5;
/** Samples worked on by a query, and told by its answer. */
const MAX_WORK = 10_000_000;
const MAX_POINTS = 500_000;
const MAX_WARNINGS = 10;
/** Gauges cost more than a look: so many moments of them in one query. */
const MAX_GAUGE_STEPS = 2_000;

export interface Row {
  readonly labels: LabelSet;
  readonly points: readonly (readonly [t: EpochMs, value: number])[];
}

export interface Answer {
  readonly type: 'scalar' | 'vector';
  /** In the order of the first moment; of an instant query as the query orders them. */
  readonly rows: readonly Row[];
  readonly warnings: readonly string[];
}

export interface Asked extends Steps {
  readonly query: string;
  readonly timeoutMs: DurationMs;
}

export class QueryRunner {
  readonly #source: MetricSource;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(source: MetricSource) {
    this.#source = source;
  }

  /** Throws a QueryError. */
  async run(asked: Asked): Promise<Answer> {
    return this.inTurn(asked.timeoutMs, (deadline) => this.#answer(asked, deadline));
  }

  /** Does what takes a while when all that was asked for before is done, and everything else has had its turn. Throws a QueryError. */
  async inTurn<Value>(timeoutMs: DurationMs, act: (deadline: DurationMs) => Value | Promise<Value>): Promise<Value> {
    if (this.#waiting >= MAX_WAITING) throw new QueryError('unavailable', `${MAX_WAITING} queries are waiting already`);
    this.#waiting++;
    const deadline = this.#source.monotonicMs() + timeoutMs;
    const turn = this.#last
      .then(() => this.#source.breathe())
      .then(() => {
        this.#checkTime(deadline);
        return act(deadline);
      })
      .finally(() => this.#waiting--);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #answer({ query, fromMs, toMs, stepMs }: Asked, deadline: DurationMs): Promise<Answer> {
    const tree = parseQuery(query);
    const warnings = new Set<string>();
    const warn = (text: string): void => {
      if (warnings.size < MAX_WARNINGS) warnings.add(text);
    };
    const { leaves, hasGauges } = await planQuery({ query, tree, fromMs, toMs, source: this.#source, deadline, warn });
    const steps = Math.floor((toMs - fromMs) / stepMs) + 1;
    if (hasGauges && steps > MAX_GAUGE_STEPS) {
      throw new QueryError(
        'execution',
        `gauges of objectives are reckoned at most ${MAX_GAUGE_STEPS} times in one query: ask for a longer step`,
      );
    }
    const evaluation = new Evaluation(leaves);
    const rows = new Map<string, { readonly labels: LabelSet; readonly points: [EpochMs, number][] }>();
    let points = 0;
    let since = this.#source.monotonicMs();
    for (let i = 0; i < steps; i++) {
      const t = fromMs + i * stepMs;
      points += addTo(rows, evaluation.at(tree, t), t);
      if (points > MAX_POINTS)
        throw new QueryError('execution', `the answer has more than ${MAX_POINTS} points: ask for a longer step or fewer series`);
      if (evaluation.work > MAX_WORK)
        throw new QueryError('execution', `the query works on more than ${MAX_WORK} samples: ask for less at once`);
      if (this.#source.monotonicMs() - since < PACE_MS) continue;
      await this.#source.breathe();
      this.#checkTime(deadline);
      since = this.#source.monotonicMs();
    }
    return { type: typeOf(tree) === 'scalar' ? 'scalar' : 'vector', rows: [...rows.values()], warnings: [...warnings] };
  }

  #checkTime(deadline: DurationMs): void {
    if (this.#source.monotonicMs() >= deadline) throw new QueryError('timeout', 'query timed out in expression evaluation');
  }
}

/** Points that were added. */
function addTo(rows: Map<string, { readonly labels: LabelSet; readonly points: [EpochMs, number][] }>, value: Value, t: EpochMs): number {
  const samples = value.kind === 'vector' ? value.samples : [{ labels: NO_LABELS, value: value.value }];
  const taken = new Set<string>();
  for (const { labels, value: number } of samples) {
    if (taken.has(labels.key)) throw new QueryError('execution', `vector cannot contain metrics with the same labelset: ${labels.text}`);
    taken.add(labels.key);
    const row = rows.get(labels.key);
    if (row === undefined) rows.set(labels.key, { labels, points: [[t, number]] });
    else row.points.push([t, number]);
  }
  return samples.length;
}
