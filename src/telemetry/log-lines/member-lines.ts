/** Log lines about members that share the work on Kafka. */
import type { LogLine } from './log-line.ts';

export const MEMBER_LINES = {
  'a partition of the delta topic was taken over': { level: 'info', fields: 'partition, rows, tookMs, position', means: '', act: '' },
  'a partition could not be taken over; trying again': {
    level: 'error',
    fields: 'topic, partition, error',
    means: 'Its services are not judged meanwhile.',
    act: 'Look at the brokers.',
  },
  'the state of a partition has another owner; its cell is dropped': {
    level: 'warn',
    fields: 'topic, partition, error',
    means: 'This member was cut off and replaced.',
    act: '',
  },
  'a cell could not be let go in good order': {
    level: 'warn',
    fields: 'topic, partition, error',
    means: 'Its heir goes on from the last durable state.',
    act: '',
  },
  'signals are left to the new owner of the state': { level: 'warn', fields: 'error, signals', means: '', act: '' },
  'other members do not know yet who has a partition; it is told again': { level: 'warn', fields: 'partition, error', means: '', act: '' },
  'a claim could not be said again': { level: 'error', fields: 'partition, error', means: '', act: 'Look at the brokers.' },
  'a member did not answer another': {
    level: 'warn',
    fields: 'peer, path, error, cause',
    means: 'Who asked gets 503 and asks again.',
    act: 'Network between the members.',
  },
  'the control topic is not what it was: read anew': { level: 'warn', fields: 'topic, reason, from, to', means: '', act: '' },
  'a record of the control topic is not understood': {
    level: 'warn',
    fields: 'topic, offset, key',
    means: 'A newer version writes it, or a stranger.',
    act: 'Rights to write there.',
  },
  'other members do not know of a proven harm': { level: 'warn', fields: 'rollout, service, error', means: 'It is told again.', act: '' },
  'a rollback is held by what other members know': {
    level: 'warn',
    fields: 'signal, service, objection',
    means: 'The breaker of all members.',
    act: '`slipstream override list`.',
  },
  'a rollback waits: the control topic does not take it': {
    level: 'warn',
    fields: 'signal, service, error',
    means: '',
    act: 'Look at the brokers.',
  },
} as const satisfies Readonly<Record<string, LogLine>>;
