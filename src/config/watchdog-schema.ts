/** The section of the process file about proving, again and again, that a bad canary would be found. */
import { z } from 'zod';
import type { DurationMs } from '../model/time.ts';
import { duration, secretReference, section } from './fields.ts';
import { Complaint } from './quantity.ts';
import type { Secret } from './secret.ts';

/** As the service sees it after parsing. */
export interface WatchdogConfig {
  readonly intervalMs: DurationMs;
  /** Posted to after each success; whoever knows it can keep the alarm silent. Null: nobody outside is told. */
  readonly heartbeatUrl: Secret | null;
}

export const watchdog = section(
  'Proof that verdicts still come: a made-up canary goes through all stages again and again, beside the real ones, and parts that stand still are named.',
  {
    enabled: z
      .boolean()
      .prefault(true)
      .describe('False switches it off: nothing but missing verdicts then tells that this process judges no more. Use it for trials.'),
    interval: duration({ min: '1s', max: '1m' })
      .prefault('30s')
      .describe(
        'Time between two proofs. Use less where a silent death must show sooner; each takes some milliseconds. The alert that comes with the chart waits for two minutes.',
      ),
    heartbeatUrl: secretReference
      .optional()
      .describe(
        "Address that gets a POST after each success, of a service that raises the alarm when none comes (a dead man's switch). A secret, as it often carries a key. Left out: none.",
      ),
  },
);

/** Why nothing can be posted to it. */
export function heartbeatUrlComplaint(secret: Secret): Complaint | null {
  const url = URL.parse(secret.reveal());
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
    ? null
    : new Complaint('this is no address of a heartbeat', 'an http or https address without user and password');
}
