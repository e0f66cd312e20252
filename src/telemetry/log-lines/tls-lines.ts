/** Log lines about TLS of our listeners, and about senders that do not say who they are. */
import type { LogLine } from './log-line.ts';

export const TLS_LINES = {
  'a renewed certificate is in use': {
    level: 'info',
    fields: 'listener, names, until',
    means:
      'For new connections. Open ones keep the old one; when the authorities of senders are others now, they end with their next request.',
    act: '',
  },
  'a renewed certificate is refused; the old one stays in use': {
    level: 'error',
    fields: 'listener, faults, inUseUntil',
    means: 'Each fault names its file. The files are looked at again every 5 s.',
    act: 'Mend the Secret or the files before `inUseUntil`.',
  },
  'the certificate in use expires soon': {
    level: 'warn',
    fields: 'listener, names, until',
    means: 'In less than 7 days, or a fifth of its lifetime, and no renewed one is in the files.',
    act: 'Look at who renews it.',
  },
  'the certificate in use has expired': {
    level: 'error',
    fields: 'listener, names, until',
    means: 'Senders that check it no longer connect.',
    act: 'Put a valid one into its files; no restart is needed.',
  },
  'a client could not be spoken to by TLS': {
    level: 'warn',
    fields: 'listener, reason, [peer], error',
    means: 'Said once a minute for each reason; `tls_handshake_failures_total` counts all, and those that just close.',
    act: 'A sender without TLS, with an old version of it, or without the certificate that is asked for.',
  },
  'a sender presents no valid token': {
    level: 'warn',
    fields: 'transport, [peer]',
    means: 'Its spans are refused for good; said once a minute, `receiver_refused_requests_total` counts all.',
    act: 'Give the sender one of the tokens of `receivers.token`.',
  },
} as const satisfies Readonly<Record<string, LogLine>>;
