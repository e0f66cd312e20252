/** The receivers of OTLP that are configured; nothing listens before it is started. */
import type { Config } from '../config/config.ts';
import type { Admission } from '../receivers/admission.ts';
import { OtlpGrpcReceiver } from '../receivers/otlp-grpc.ts';
import { OtlpHttpReceiver } from '../receivers/otlp-http.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export function otlpReceivers({ receivers: limits }: Pick<Config, 'receivers'>, admission: Admission, telemetry: Telemetry) {
  const grpc = limits.otlpGrpc && new OtlpGrpcReceiver({ config: limits.otlpGrpc, limits, admission, telemetry });
  const http = limits.otlpHttp && new OtlpHttpReceiver({ config: limits.otlpHttp, limits, admission, telemetry });
  return { grpc, http, all: [grpc, http].filter((receiver) => receiver !== null) };
}
