/** A run that changed its mind twice at one moment got no root of its trace: the first of its views had grown the second verdict by the time it was told of. */
import { expect, it } from 'vitest';
import { RunRecord } from '../../src/engine/run-record.ts';
import { logVerdict } from '../../src/service/verdict-log.ts';
import { rolledBack } from '../model/runs.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

it('a run that says two things before anybody is told begins its trace once', () => {
  const { rollout, lateRequests, lagMs, exemplars, strictness, judgements, trail, outlook, verdict } = rolledBack;
  const said = {
    ...{ judgements, trail, outlook, canaryRequests: 812, baselineRequests: 9_000 },
    ...{ reason: verdict.reason, logWealth: verdict.logWealth, logLimit: verdict.logLimit, decidedBy: verdict.decidedBy },
  } as Parameters<RunRecord['view']>[1];
  const record = new RunRecord();
  const views = (['continue', 'rollback'] as const).map((decision) => {
    record.say({ state: 'running', decision, reason: verdict.reason, action: null }, said, verdict.at);
    return record.view({ rollout, lateRequests, lagMs, exemplars, strictness }, said, verdict.at);
  });
  expect(views.map(({ history }) => history.length)).toEqual([1, 2]);
  const telemetry = new MemoryTelemetry();
  for (const view of views) logVerdict(view, telemetry, verdict.at);
  expect(telemetry.spans.map(({ name }) => name)).toEqual(['analysis run', 'verdict', 'verdict']);
});
