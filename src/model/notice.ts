/** Something people are told of: an alert that fires or is over, a signal, or a delivery that needs a person. */
import type { EpochMs } from './time.ts';

export const NOTICE_TOPICS = ['burn', 'rollback', 'promote', 'hold', 'rolled_back', 'undelivered', 'unconfirmed'] as const;
export type NoticeTopic = (typeof NOTICE_TOPICS)[number];

export interface Notice {
  /** The same for all that is told of one matter, so that what is over replaces what began: `burn:shop/availability`, `rollback:sig_…`. */
  readonly key: string;
  readonly topic: NoticeTopic;
  /** Signals are told once, as `firing`. */
  readonly state: 'firing' | 'resolved';
  readonly severity: 'page' | 'ticket' | 'info';
  readonly service: string;
  /** One sentence. */
  readonly title: string;
  /** What it rests on; lines for people, at most 20. */
  readonly details: readonly string[];
  /** Plain names and values for tools: objective, rollout, action, reason, sink … */
  readonly labels: Readonly<Record<string, string>>;
  readonly startsAt: EpochMs;
  /** Null while it fires. */
  readonly endsAt: EpochMs | null;
  /** Where people read more; null: nowhere that others can reach. */
  readonly link: string | null;
}
