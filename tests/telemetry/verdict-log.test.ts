/** What is told of a verdict: one line, a count, and spans that lead from the decision to the requests it rests on. */
import { expect, it } from 'vitest';
import { logVerdict } from '../../src/service/verdict-log.ts';
import { decisionTraceId } from '../../src/telemetry/decision-spans.ts';
import { rolledBack } from '../model/runs.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

const NOW = rolledBack.verdict.at + 1_500;

it('tells of a changed verdict with the numbers that were compared and the trace it is found under', () => {
  const telemetry = new MemoryTelemetry();
  logVerdict(rolledBack, telemetry, NOW);
  expect(telemetry.value('verdicts_total', { decision: 'rollback', reason: 'harm_proven' })).toBe(1);
  expect(telemetry.lines).toMatchObject([
    {
      message: 'verdict',
      fields: { rollout: 'ro-1', logWealth: 6.12, canaryRequests: 812, trace_id: decisionTraceId(rolledBack.rollout) },
    },
  ]);
  const { at } = rolledBack.verdict;
  expect(telemetry.spans).toMatchObject([{ name: 'verdict', startMs: at, endMs: NOW, attributes: { decision: 'rollback' } }]);
  const traces = rolledBack.exemplars.canary.map(({ traceId }) => traceId);
  expect(telemetry.spans[0]?.attributes['canary.exemplars']).toEqual(traces.slice(0, 5));
  expect(traces.length).toBeGreaterThan(0);
});

it('begins the trace with the first verdict of a run, and never again', () => {
  const telemetry = new MemoryTelemetry();
  const [first] = rolledBack.history;
  logVerdict({ ...rolledBack, history: first === undefined ? [] : [first] }, telemetry, NOW);
  logVerdict(rolledBack, telemetry, NOW);
  expect(telemetry.spans.map(({ name }) => name)).toEqual(['analysis run', 'verdict', 'verdict']);
  expect(telemetry.spans[0]).toMatchObject({ startMs: rolledBack.rollout.startedAt, attributes: { canary: 'service.version=1.5.0' } });
});
