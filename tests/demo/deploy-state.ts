/** What the deploy system remembers: where traffic goes, which attempt is the current one, and which messages it has seen. */
import { z } from 'zod';

/** What the deploy system needs of a signal; a signal may carry more. */
export const signalMessage = z.object({
  type: z.string(),
  data: z.object({
    rolloutId: z.string(),
    generation: z.int(),
    service: z.string(),
    action: z.enum(['rollback', 'promote', 'hold']),
    reason: z.string(),
    summary: z.string(),
    notAfter: z.union([z.number(), z.string().transform((text) => Date.parse(text))]),
  }),
});
export type SignalMessage = z.infer<typeof signalMessage>['data'];

/** What became of a signal; only the first three change or confirm anything. */
export type SignalEffect = 'moved_back' | 'promoted' | 'held' | 'duplicate' | 'stale_generation' | 'unknown_service' | 'too_late';

/** Redelivery of the same message is remembered for this many messages. */
const MAX_REMEMBERED = 1000;

export class DeployState {
  readonly service: string;
  /** Attempt number: grows with every rollout that is started. 0 before the first. */
  generation = 0;
  /** Share of the service's traffic that the canary gets, [0, 1]. */
  canaryWeight = 0;
  readonly #seen = new Set<string>();

  constructor(service: string) {
    this.service = service;
  }

  /** Starts a new attempt, sends this share of traffic to the canary and returns the attempt's generation. */
  start(canaryWeight: number): number {
    this.generation++;
    this.canaryWeight = canaryWeight;
    return this.generation;
  }

  /**
   * Acts on a verified signal. The same message id a second time does nothing; a signal for an older attempt is refused, because it speaks of
   * a release that is not being rolled out any more.
   */
  apply(messageId: string, signal: SignalMessage, nowMs: number): SignalEffect {
    if (this.#seen.has(messageId)) return 'duplicate';
    if (signal.service !== this.service) return 'unknown_service';
    if (signal.generation !== this.generation) return 'stale_generation';
    if (nowMs > signal.notAfter) return 'too_late';
    this.#remember(messageId);
    switch (signal.action) {
      case 'rollback':
        this.canaryWeight = 0;
        return 'moved_back';
      case 'promote':
        this.canaryWeight = 1;
        return 'promoted';
      case 'hold':
        return 'held';
    }
    return signal.action satisfies never;
  }

  #remember(messageId: string): void {
    this.#seen.add(messageId);
    if (this.#seen.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      return;
    }
  }
}
