/** Evidence over time as one line of bars. */
import type { TrailPoint } from './judgement.ts';

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * Bars from no evidence of harm (`▁`) to the limit (`█`), on the scale of ln wealth, where equal evidence adds equal height; at most `width`, each the
 * highest of the points it stands for. Without a limit above 0 the highest point takes its place. Empty for no points.
 */
export function sparkline(trail: readonly TrailPoint[], logLimit: number, width: number): string {
  if (trail.length === 0 || width < 1) return '';
  const count = Math.min(trail.length, Math.floor(width));
  let top = logLimit;
  if (!(top > 0 && Number.isFinite(top))) top = trail.reduce((highest, { logE }) => Math.max(highest, logE), Number.MIN_VALUE);
  let line = '';
  for (let bar = 0; bar < count; bar++) {
    const from = Math.floor((bar * trail.length) / count);
    const to = Math.floor(((bar + 1) * trail.length) / count);
    let highest = Number.NEGATIVE_INFINITY;
    for (let point = from; point < to; point++) highest = Math.max(highest, trail[point]?.logE ?? highest);
    line += BARS[step(highest / top)] ?? BARS[0];
  }
  return line;
}

/** The full bar is for what has reached the top, and for nothing less. */
function step(height: number): number {
  if (height >= 1) return BARS.length - 1;
  return height > 0 ? Math.floor(height * (BARS.length - 1)) : 0;
}
