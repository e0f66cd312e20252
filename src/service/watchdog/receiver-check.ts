/** An empty request over the real socket of each of our own receivers, as a sender would send it. */
import type { TlsFiles } from '../../config/config.ts';
import type { Secret } from '../../config/secret.ts';
import type { WatchdogPart } from '../../model/watchdog-view.ts';
import { type Probe, probeGrpc, probeHandshake, probeHttp } from '../../receivers/otlp-probe.ts';
import type { Receiver } from '../../receivers/receiver.ts';
import type { WatchdogCheck } from './finding.ts';

/** As long as the other looks may take. */
const ANSWER_MS = 4_000;

export interface ProbedReceivers {
  /** Null: it is not configured. */
  readonly grpc: Pick<Receiver, 'address'> | null;
  readonly http: Pick<Receiver, 'address'> | null;
  /** What senders may present, as of now: others may come with a new configuration. Null: none is asked. */
  tokens(): readonly Secret[] | null;
}

export function receiverChecks({ grpc, http, tokens }: ProbedReceivers, tls: TlsFiles | null): readonly WatchdogCheck[] {
  return [
    ...(grpc === null ? [] : [receiverCheck('otlp_grpc', grpc, probeGrpc, { tls, tokens })]),
    ...(http === null ? [] : [receiverCheck('otlp_http', http, probeHttp, { tls, tokens })]),
  ];
}

function receiverCheck(
  part: WatchdogPart,
  receiver: Pick<Receiver, 'address'>,
  probe: Probe,
  { tls, tokens }: Pick<ProbedReceivers, 'tokens'> & { readonly tls: TlsFiles | null },
): WatchdogCheck {
  // Of senders' certificates we have none; that it speaks TLS is all that can be seen then.
  const ask = tls?.caFile == null ? probe : probeHandshake;
  return {
    part,
    look: async () => {
      const { address } = receiver;
      if (address === null) return [{ part, fault: 'it should listen, and does not' }];
      // It is our own socket, whatever name its certificate is for.
      const ours = tls === null ? null : { isChecked: false };
      const fault = await ask({ address, tls: ours, token: tokens()?.[0] ?? null, timeoutMs: ANSWER_MS });
      return [{ part, fault: fault === null ? null : `an empty request should be taken at ${address}: ${fault}` }];
    },
  };
}
