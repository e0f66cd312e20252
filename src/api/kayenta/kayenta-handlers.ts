/** What answers for Kayenta and Spinnaker ask of the running service. */
import type { JudgeReport, JudgeRequest } from '../../model/series-judge.ts';
import type { Unavailable } from '../unavailable.ts';

export interface KayentaHandlers {
  /** Attributes by which releases are told apart, the most telling first; never empty. */
  releaseBy(): readonly string[];
  /** Judges values per step; nothing of the service has a part in it. The limits of the score must be without fault. */
  judgeSeries(request: JudgeRequest): JudgeReport | Unavailable | Promise<JudgeReport | Unavailable>;
}
