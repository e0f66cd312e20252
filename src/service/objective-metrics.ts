/** Shows every objective as metrics, so that it can be watched and alerted on where other metrics are. */
import type { Engine } from '../engine.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** Sets the gauges of all objectives. One without a valid request in its window has a target only: no data is neither good nor bad. */
export function showObjectives(engine: Engine, telemetry: Telemetry): void {
  for (const service of engine.objectives.services()) {
    for (const { objective, judgement } of engine.objectives.judge(service, engine.window.newestAt(service))) {
      const labels = { service, objective: objective.id };
      telemetry.set('objective_target_ratio', objective.target, labels);
      const { evidence } = judgement;
      if (evidence.kind !== 'objective' || evidence.sli === null || evidence.budgetRemaining === null) continue;
      telemetry.set('objective_sli_ratio', evidence.sli, labels);
      telemetry.set('objective_budget_remaining_ratio', evidence.budgetRemaining, labels);
    }
  }
}
