/** Answers what Kayenta and Spinnaker ask beside runs: names of releases, and a judge for values that others measured. */
import type { KayentaHandlers } from '../api/kayenta/kayenta-handlers.ts';
import { judgeSeries } from '../evaluate/kayenta-judge/judge-series.ts';
import type { Stages } from './stages.ts';

export function kayentaHandlers(stages: Pick<Stages, 'releaseBy'>): KayentaHandlers {
  return { releaseBy: () => stages.releaseBy, judgeSeries };
}
