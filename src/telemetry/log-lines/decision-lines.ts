/** Log lines about judging: runs, verdicts, alerts, and what people forbid. */
import type { LogLine } from './log-line.ts';

const ALERT = 'objective, service, severity, at, [why, burnLimit, longMs, longBurn, longBad, longValid, shortBurn, shortBad, shortValid]';

export const DECISION_LINES = {
  'analysis run started': { level: 'info', fields: 'rollout, generation, service', means: '', act: '' },
  verdict: {
    level: 'info',
    fields:
      'rollout, generation, service, state, decision, reason, why, at, logWealth, logLimit, decidedBy, canaryRequests, baselineRequests, trace_id',
    means: 'Each time that decision or reason changes. `at` is event time; a rollback has `logWealth` at or above `logLimit`.',
    act: '`slipstream explain ROLLOUT` says why on one page.',
  },
  'rollout ended by the deploy system': { level: 'info', fields: 'rollout, how, state', means: '', act: '' },
  'analysis run aborted on request': { level: 'info', fields: 'rollout, state', means: '', act: '' },
  'an analysis run broke and ended': {
    level: 'error',
    fields: 'rollout, service, fault',
    means: 'A defect; it neither rolls back nor promotes.',
    act: 'Report it.',
  },
  'objective alert fires': {
    level: 'warn',
    fields: ALERT,
    means: 'The budget burns faster than a tier allows.',
    act: '`slipstream slo explain OBJECTIVE`.',
  },
  'objective alert changes': { level: 'warn', fields: ALERT, means: 'From ticket to page, or back.', act: 'As above.' },
  'objective alert freezes': {
    level: 'warn',
    fields: ALERT,
    means: 'Telemetry is lost: it neither heals nor worsens.',
    act: 'Find out where spans are.',
  },
  'objective alert thaws': { level: 'info', fields: ALERT, means: '', act: '' },
  'objective alert resolves': { level: 'info', fields: ALERT, means: '', act: '' },
  'an operator holds signals back': { level: 'warn', fields: 'service, rollout, mode, by, reason, at, until, isKept', means: '', act: '' },
  'an override of signals was ended': { level: 'warn', fields: 'service, rollout, mode, by, givenBy, reason, isKept', means: '', act: '' },
  'the breaker was reset': { level: 'warn', fields: 'by, reason, rollbacksLastHour, hadCommonCause, isKept', means: '', act: '' },
  'the kill switch holds all rollbacks': {
    level: 'warn',
    fields: 'path, [error]',
    means: 'The file is there, or cannot be looked at.',
    act: '',
  },
  'the kill switch is gone; rollbacks may leave again': { level: 'warn', fields: 'path, heldMs', means: '', act: '' },
  'the deploy gate is overridden': { level: 'warn', fields: 'service, by, reason, until, isKept', means: '', act: '' },
  'an override of the deploy gate was ended': { level: 'warn', fields: 'service, by, givenBy, reason, isKept', means: '', act: '' },
  'the deploy gate was told of a load test': {
    level: 'info',
    fields: 'service, candidate, outcome, summary, at, isKept',
    means: '',
    act: '',
  },
  'a watch of rollouts has trouble': {
    level: 'warn',
    fields: 'watch, reason, error',
    means: 'Rollouts may be seen late; it goes on by itself.',
    act: 'Look at rights and at the API server when it stays.',
  },
} as const satisfies Readonly<Record<string, LogLine>>;
