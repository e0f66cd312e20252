/** Slipstream behind a Collector: started again and again with the folder and the ports it had before. */

import { counted } from '../../kafka/source-stand.ts';
import { processDocument, SERVICE, shopDocument } from '../../service/config.ts';
import { eventually, Running } from '../../service/running.ts';
import { freePort } from '../../support/free-ports.ts';

/** Of the service that it counts. */
export const RELEASE = { 'service.name': SERVICE, 'service.version': '1.0.0' };

export interface Place {
  /** For the Collector's configuration. */
  readonly env: Readonly<Record<'SLIPSTREAM_GRPC' | 'SLIPSTREAM_HTTP', string>>;
  start(): Promise<Running>;
}

export async function slipstreamIn(folder: string): Promise<Place> {
  const [grpc, http] = [await freePort(), await freePort()];
  const config = [processDocument({ receivers: { otlpGrpc: { port: grpc }, otlpHttp: { port: http } } }), shopDocument()];
  return {
    env: { SLIPSTREAM_GRPC: `127.0.0.1:${grpc}`, SLIPSTREAM_HTTP: `http://127.0.0.1:${http}` },
    start: () => Running.start({ folder, config }),
  };
}

/** Resolves with the counts once as many requests are counted. */
export function countedAll(running: Running, valid: number): ReturnType<typeof counted> {
  return eventually(
    () => counted(running),
    (now) => now.valid >= valid,
  );
}
