/** The methods that are compared, by name. */
import type { Comparator } from '../method.ts';
import { CumulativeBets } from './cumulative-bets.ts';
import { Flagger } from './flagger.ts';
import { Kayenta } from './kayenta.ts';
import { Tables } from './tables.ts';
import { ZTest } from './z-test.ts';

export const METHOD_NAMES = ['slipstream', 'kayenta', 'flagger', 'zTest', 'zTestTolerant', 'cumulativeBets'] as const;
export type MethodName = (typeof METHOD_NAMES)[number];
export type ComparatorName = Exclude<MethodName, 'slipstream'>;

/** Those of one rollout; what they can share, they do. */
export function createComparators(names: readonly ComparatorName[]): readonly [ComparatorName, Comparator][] {
  const tables = new Tables();
  return names.map((name) => [name, create(name, tables)]);
}

function create(name: ComparatorName, tables: Tables): Comparator {
  switch (name) {
    case 'kayenta':
      return new Kayenta();
    case 'flagger':
      return new Flagger();
    case 'zTest':
      return new ZTest(tables, false);
    case 'zTestTolerant':
      return new ZTest(tables, true);
    case 'cumulativeBets':
      return new CumulativeBets(tables);
    default:
      return name satisfies never;
  }
}
