/** Log lines about spans on their way in: receivers, Kafka, what is not counted yet and what is lost. */
import type { LogLine } from './log-line.ts';

export const INPUT_LINES = {
  'a request made stage A fail': {
    level: 'error',
    fields: 'transport, error',
    means: 'The sender was told to try again; nothing of the request is counted.',
    act: 'Report it.',
  },
  'verdicts wait for spans that are not counted yet': {
    level: 'warn',
    fields: 'doubt, why, lagMs, waitedFor, givenUp, sources',
    means: 'Nothing is promoted or rolled back until they are.',
    act: 'See which source lags: more members, or mend it.',
  },
  'all spans up to now are counted again: verdicts are given': { level: 'info', fields: 'forMs', means: '', act: '' },
  'spans were lost: budgets are incomplete and no verdict is given until evidence has built up again': {
    level: 'error',
    fields: 'source, reason, fromMs, toMs, text',
    means: 'The log had lost them before they were read: retention, or a topic that was cut or made again.',
    act: 'Longer retention; faster reading.',
  },
  'spans were lost before they were read': {
    level: 'error',
    fields: 'source, reason, fromMs, toMs, text',
    means: 'The same, in role ingest.',
    act: 'As above.',
  },
  'counts were lost: budgets are incomplete and no verdict is given until evidence has built up again': {
    level: 'error',
    fields: 'source, reason, fromMs, toMs, text, [refused]',
    means: 'The same, of the delta topic.',
    act: 'Longer retention of the delta topic.',
  },
  'records of a log are lost before they were read': {
    level: 'error',
    fields: 'partition, reason, from, to',
    means: 'Offsets of the loss.',
    act: 'As above.',
  },
  'a record holds no spans that can be read; it is left out': {
    level: 'warn',
    fields: 'topic, partition, offset, timestampMs, reason',
    means: 'Also in `slipstream status` for a day.',
    act: 'Find who writes it.',
  },
  'a record holds no spans that can be read; it is set aside': {
    level: 'warn',
    fields: 'source, offset, reason',
    means: 'Its bytes are in the topic `slipstream.quarantine`.',
    act: 'Find who writes it.',
  },
  'another member of the group reads these partitions, so no verdict is given: a process that judges by itself needs a group of its own': {
    level: 'error',
    fields: 'group, partitions, count',
    means: '',
    act: 'Another `receivers.kafka.group`, or stop the other process.',
  },
  'all partitions are ours again': { level: 'info', fields: 'group', means: '', act: '' },
  'topics came or went: reading begins anew': { level: 'info', fields: 'group, topics', means: '', act: '' },
  'Kafka has no such topic yet: it is waited for': {
    level: 'warn',
    fields: 'missing',
    means: '',
    act: 'Make the topic, or mend its name.',
  },
  'reading from Kafka ended and begins anew': { level: 'warn', fields: 'group, end, error, inARow', means: '', act: '' },
  'reading from Kafka ends again and again': {
    level: 'error',
    fields: 'group, end, error, inARow',
    means: '',
    act: 'Look at brokers and rights.',
  },
  'finding out where to go on reading failed: tried again': { level: 'warn', fields: 'partitions, error', means: '', act: '' },
  'a transaction was not seen to be committed': {
    level: 'warn',
    fields: 'transactionalId, outcome, error',
    means: 'It is found out before anything else is written.',
    act: '',
  },
  'counts could not be handed over; they are counted anew from the last position': {
    level: 'warn',
    fields: 'source, result, error',
    means: '',
    act: '',
  },
  'a partition cannot be taken up; trying again': { level: 'warn', fields: 'source, error', means: '', act: '' },
  'counts of spans sent here cannot be handed over; trying again': {
    level: 'warn',
    fields: 'error',
    means: 'Their senders wait for the answer.',
    act: '',
  },
  'spans that were sent here could not be handed over before the end': {
    level: 'error',
    fields: 'member',
    means: 'Their senders got no answer and send them again.',
    act: '',
  },
  'progress cannot be told; judging waits until it can': { level: 'warn', fields: 'error', means: '', act: '' },
} as const satisfies Readonly<Record<string, LogLine>>;
