/** Regular expressions of matchers, in time that grows with the text and never explodes: an automaton that is in all its states at once. */
import { type CharTest, PatternError, type PatternNode, parsePattern } from './pattern-tree.ts';

const MAX_STATES = 2000;
/** Steps that all patterns of a selector may take together: about a third of a second. */
const MAX_STEPS = 5_000_000;

/** What patterns may still do. */
export interface PatternBudget {
  steps: number;
}

export function patternBudget(): PatternBudget {
  return { steps: MAX_STEPS };
}
/** The state that a whole text must lead to. */
const END = 0;

/** Goes to `next` on a character that passes; without a test to all of `to`, at once. */
interface State {
  readonly test: CharTest | null;
  readonly next: number;
  readonly to: number[];
}

/** Matches whole texts: anchored at both ends, as in Prometheus. Groups cannot be referred to. */
export class Pattern {
  readonly #states: State[] = [{ test: null, next: END, to: [] }];
  readonly #start: number;
  readonly #budget: PatternBudget;

  /** Throws a PatternError. */
  constructor(source: string, budget: PatternBudget = patternBudget()) {
    this.#budget = budget;
    this.#start = this.#compiled(parsePattern(source), END);
  }

  /** Throws a PatternError when the budget is used up. */
  test(text: string): boolean {
    let now = this.#reached([this.#start]);
    for (const char of text) {
      const next: number[] = [];
      for (const id of now) {
        const state = this.#states[id] as State;
        if (state.test?.(char)) next.push(state.next);
      }
      if (next.length === 0) return false;
      now = this.#reached(next);
    }
    return now.has(END);
  }

  #reached(from: readonly number[]): Set<number> {
    const reached = new Set<number>();
    const open = [...from];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (reached.has(id)) continue;
      if (--this.#budget.steps < 0) throw new PatternError('the patterns take too long on so many labels: ask for something simpler');
      reached.add(id);
      open.push(...(this.#states[id] as State).to);
    }
    return reached;
  }

  /** State from which `node` leads to the state `after`. */
  #compiled(node: PatternNode, after: number): number {
    switch (node.kind) {
      case 'char':
        return this.#state({ test: node.test, next: after, to: [] });
      case 'sequence':
        return node.parts.reduceRight((begin, part) => this.#compiled(part, begin), after);
      case 'alternatives':
        return this.#state({ test: null, next: END, to: node.of.map((one) => this.#compiled(one, after)) });
      case 'repeat':
        return this.#repeated(node, after);
      default:
        return node satisfies never;
    }
  }

  #repeated({ of, least, most }: Extract<PatternNode, { kind: 'repeat' }>, after: number): number {
    let begin = after;
    if (most === Number.POSITIVE_INFINITY) {
      begin = this.#state({ test: null, next: END, to: [after] });
      const inner = this.#compiled(of, begin);
      (this.#states[begin] as State).to.push(inner);
    } else {
      for (let i = least; i < most; i++) begin = this.#state({ test: null, next: END, to: [after, this.#compiled(of, begin)] });
    }
    for (let i = 0; i < least; i++) begin = this.#compiled(of, begin);
    return begin;
  }

  #state(state: State): number {
    if (this.#states.length >= MAX_STATES) throw new PatternError(`the pattern needs more than ${MAX_STATES} states`);
    return this.#states.push(state) - 1;
  }
}
