/** Functions of vectors that look at one sample at a time, or only at their order. */
import { ascending, descending } from './aggregate.ts';
import { type Sample, sample } from './sample.ts';

const ONE_BY_ONE = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  sqrt: Math.sqrt,
  exp: Math.exp,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sgn: Math.sign,
} as const;

export type OneByOne = keyof typeof ONE_BY_ONE;

export function isOneByOne(name: string): name is OneByOne {
  return Object.hasOwn(ONE_BY_ONE, name);
}

export function mapped(name: OneByOne, samples: readonly Sample[]): Sample[] {
  return each(samples, ONE_BY_ONE[name]);
}

/** To the nearest multiple of `to`, ties up. */
export function rounded(samples: readonly Sample[], to: number): Sample[] {
  // As Prometheus does it: the inverse keeps 0.1 from making 0.30000000000000004.
  const inverse = 1 / to;
  return each(samples, (value) => Math.floor(value * inverse + 0.5) / inverse);
}

/** Nothing when the bounds cross; NaN when one is. */
export function clamped(samples: readonly Sample[], least: number, most: number): Sample[] {
  return least > most ? [] : each(samples, (value) => Math.max(least, Math.min(most, value)));
}

export function sorted(samples: readonly Sample[], order: 'up' | 'down'): Sample[] {
  return samples.toSorted((a, b) => (order === 'up' ? ascending : descending)(a.value, b.value));
}

function each(samples: readonly Sample[], of: (value: number) => number): Sample[] {
  return samples.map(({ labels, value }) => sample(labels.nameless, of(value)));
}
