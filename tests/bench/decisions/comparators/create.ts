/** The methods that are compared, by name. */
import type { Comparator } from '../method.ts';

export const METHOD_NAMES = ['slipstream'] as const;
export type MethodName = (typeof METHOD_NAMES)[number];
export type ComparatorName = Exclude<MethodName, 'slipstream'>;

export function createComparator(name: ComparatorName): Comparator {
  throw new RangeError(`no such method: ${String(name)}`);
}
