/** Log lines about signals on their way out, and about people who are told. */
import type { LogLine } from './log-line.ts';

const SIGNAL = 'signal, rollout, generation, action, reason, sink, attempts, lastError';

export const DELIVERY_LINES = {
  'signal delivered': { level: 'info', fields: `${SIGNAL}, afterMs`, means: 'The other side took it.', act: '' },
  'signal confirmed': { level: 'info', fields: `${SIGNAL}, afterMs`, means: 'Its effect was seen.', act: '' },
  'signal delivered in a dry run': { level: 'info', fields: `${SIGNAL}, afterMs`, means: 'All was done but the effect.', act: '' },
  'signal superseded': {
    level: 'warn',
    fields: `${SIGNAL}, afterMs`,
    means: 'Something newer is rolled out; it is not sent any more.',
    act: '',
  },
  'signal not delivered, will be sent again': {
    level: 'warn',
    fields: SIGNAL,
    means: 'Said again only when the error is another.',
    act: '',
  },
  'sink refuses the signal': { level: 'warn', fields: SIGNAL, means: 'It is still tried, every 30 s.', act: 'Look at the receiver.' },
  'sink cannot be reached as configured': {
    level: 'error',
    fields: SIGNAL,
    means: 'Address, token or rights are wrong.',
    act: 'Mend the sink.',
  },
  'signal still not delivered': {
    level: 'error',
    fields: SIGNAL,
    means: 'After `escalation.after`; people are told, and it is still tried.',
    act: 'Roll back by hand if it burns.',
  },
  'signal taken and no effect seen': {
    level: 'error',
    fields: SIGNAL,
    means: 'After `escalation.confirmWithin`.',
    act: 'Look at the deploy system.',
  },
  'nothing came of the signal': { level: 'error', fields: `${SIGNAL}, afterMs`, means: '', act: 'Look at the deploy system.' },
  'signal expired undelivered': {
    level: 'error',
    fields: `${SIGNAL}, afterMs`,
    means: 'Older than `signalTtl`.',
    act: 'Look at the sink.',
  },
  'a journalled signal cannot be read': {
    level: 'error',
    fields: 'signal, rollout, sink, error',
    means: 'It stays in the journal.',
    act: 'Report it.',
  },
  'journal cannot be written': {
    level: 'error',
    fields: 'signal, [rollout, generation, action, reason, sink, attempts, lastError], journal',
    means: 'Nothing is sent that is not journalled.',
    act: 'Free or mend the disk.',
  },
  'journal cannot be read': { level: 'error', fields: 'journal', means: '', act: 'Look at the disk.' },
  'deliveries are left in the journal': { level: 'error', fields: 'journal', means: 'They are taken up after a restart.', act: '' },
  'deliveries wait in the journal': {
    level: 'warn',
    fields: 'held',
    means: 'More than memory holds.',
    act: 'Look why sinks take so long.',
  },
  'nobody could be told, will be tried again': {
    level: 'error',
    fields: `${SIGNAL}, [topic], channel`,
    means: '',
    act: 'Look at the sinks that `escalation.to` names.',
  },
  'nobody could be told for a day': { level: 'error', fields: `${SIGNAL}, [topic], channel`, means: '', act: 'As above.' },
  'nobody could be told that it is over, will be tried again': { level: 'error', fields: `${SIGNAL}, channel`, means: '', act: '' },
  'people cannot be told': {
    level: 'error',
    fields: 'sink, notice, topic, state, service, error',
    means: 'Tried again.',
    act: 'Look at the sink.',
  },
  'people can be told again': { level: 'info', fields: 'sink, notice, topic, state, service, failures', means: '', act: '' },
  'an Event could not be made in the cluster': { level: 'warn', fields: 'error', means: '', act: 'Rights to create events.' },
  'lease taken': { level: 'info', fields: 'lease, identity', means: 'This replica acts first.', act: '' },
  'lease lost': { level: 'info', fields: 'lease, identity', means: 'Another one does.', act: '' },
  'the lease could not be looked at': { level: 'warn', fields: 'lease, error', means: '', act: 'Rights, or the API server.' },
} as const satisfies Readonly<Record<string, LogLine>>;
