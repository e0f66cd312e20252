/** The role `ingest`: spans in, counts out to the topic of deltas, from which members of role `evaluate` judge. */
import type { Config } from '../config/config.ts';
import { PermanentError } from '../model/errors.ts';
import type { RunningTelemetry } from '../telemetry/create-telemetry.ts';
import type { Clock } from './clock.ts';

export interface IngestRoleOptions {
  readonly config: Config;
  readonly telemetry: RunningTelemetry;
  readonly version: string;
  readonly clock?: Clock;
}

export interface RunningIngestRole {
  readonly addresses: { readonly grpc: string | null; readonly http: string | null; readonly api: string };
  /** Takes new policies and span rules; everything else needs a restart. */
  reconfigure(config: Config): void;
  /** Stops taking spans, hands over what was counted, and leaves the group; false when some of it could not be handed over. A second call waits for the first. */
  stop(): Promise<boolean>;
}

/** Starts everything, or throws an error that says what is in the way and leaves nothing running. */
export async function startIngestRole(_options: IngestRoleOptions): Promise<RunningIngestRole> {
  throw new PermanentError('role', 'starting the role ingest: not there yet');
}
