/** Brings each request to the member that can answer it, and puts together what all of them must answer. */
import type { Front } from '../../api/front.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Directory } from './directory.ts';
import type { PeerClient } from './peer-client.ts';

export interface FrontParts {
  /** Partitions whose cells are ready here. */
  owned(): ReadonlySet<number>;
  /** The address under which this member claims its partitions. */
  readonly url: string;
  readonly directory: Directory;
  readonly peers: PeerClient;
  readonly telemetry: Telemetry;
}

/** For `createApi`, which asks it before its responders. */
export function membersFront(_parts: FrontParts): Front {
  return ({ request }, here) => here(request);
}
