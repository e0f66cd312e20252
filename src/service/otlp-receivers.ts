/** The receivers of OTLP that are configured; nothing listens before it is started. */
import type { Config } from '../config/config.ts';
import type { Admission } from '../receivers/admission.ts';
import { OtlpGrpcReceiver } from '../receivers/otlp-grpc.ts';
import { OtlpHttpReceiver } from '../receivers/otlp-http.ts';
import { SenderTokens } from '../receivers/sender-tokens.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export function otlpReceivers({ receivers: limits }: Pick<Config, 'receivers'>, admission: Admission, telemetry: Telemetry) {
  let asked = limits.tokens;
  const tokens = new SenderTokens(asked, telemetry);
  const shared = { limits, admission, telemetry, tls: limits.tls, tokens };
  const grpc = limits.otlpGrpc && new OtlpGrpcReceiver({ config: limits.otlpGrpc, ...shared });
  const http = limits.otlpHttp && new OtlpHttpReceiver({ config: limits.otlpHttp, ...shared });
  return {
    grpc,
    http,
    all: [grpc, http].filter((receiver) => receiver !== null),
    /** What senders may present now; null: none is asked. */
    tokens: () => asked,
    /** Takes the tokens of a new configuration, when some were asked for already; all else needs a restart. */
    reconfigure: ({ receivers }: Pick<Config, 'receivers'>): void => {
      if (limits.tokens === null || receivers.tokens === null) return;
      asked = receivers.tokens;
      tokens.replace(asked);
    },
  };
}
