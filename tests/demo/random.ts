/** Seeded draws, so that a test sees the same shop every time. */

/** Uniform numbers in [0, 1), the same sequence for the same seed (a 32-bit Weyl counter through a multiply-xorshift mix). */
export function seededRandom(seed: number): () => number {
  let counter = seed >>> 0;
  return () => {
    counter = (counter + 0x9e3779b9) >>> 0;
    let mixed = counter;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** A draw from the log-normal distribution with this median; `sigma` is the standard deviation of the logarithm (Box-Muller). */
export function logNormal(random: () => number, median: number, sigma: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * random()));
}

/** Time until the next event of a Poisson process. `perMs` must be above 0. */
export function interval(random: () => number, perMs: number): number {
  return -Math.log(1 - random()) / perMs;
}
