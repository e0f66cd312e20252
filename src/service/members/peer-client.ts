/** Asks other members: one hop only, in bounded time, as whoever asked us. */
import type { DurationMs } from '../../model/time.ts';

/** A request that carries it is answered by the cells of this member alone. */
export const HOP_HEADER = 'slipstream-hop';
/** The partitions that an answer to such a request is about. */
export const PARTITIONS_HEADER = 'slipstream-partitions';

export interface PeerClient {
  /** The peer's answer, whichever it is; null when there was none in time. `body` is that of the request, already read. Never throws. */
  ask(url: string, request: Request, body: string | null, limitMs: DurationMs): Promise<Response | null>;
}

export function peerClient(): PeerClient {
  return { ask: async () => null };
}
