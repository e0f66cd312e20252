/** Holds labels against the matchers of a selector. */
import { Pattern, type PatternBudget } from './pattern.ts';
import { PatternError } from './pattern-tree.ts';
import { parseError } from './query-error.ts';
import type { Matcher } from './query-tree.ts';

export type LabelTest = (value: string) => boolean;

/** What a matcher asks of the value of its label; the empty text stands for a label that is not there. Throws a QueryError. */
export function testOf({ op, value, at }: Matcher, query: string, budget?: PatternBudget): LabelTest {
  if (op === '=') return (actual) => actual === value;
  if (op === '!=') return (actual) => actual !== value;
  const told = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      if (error instanceof PatternError) throw parseError(query, at, `error parsing regexp: ${error.message}`);
      throw error;
    }
  };
  const pattern = told(() => new Pattern(value, budget));
  // The same values come again and again.
  const known = new Map<string, boolean>();
  const matches = (actual: string): boolean => {
    const before = known.get(actual);
    if (before !== undefined) return before;
    const now = told(() => pattern.test(actual));
    known.set(actual, now);
    return now;
  };
  return op === '=~' ? matches : (actual) => !matches(actual);
}

/** True of a matcher that every value passes: what dashboards send for "all". */
export function isAnything({ op, value }: Matcher): boolean {
  return op === '=~' && value === '.*';
}
