/** The records of the control topic, and their wire form: JSON under a key that says what it is about, so that the newest of each stays. */
import type { EpochMs } from '../../model/time.ts';

/** Without its place in the topic. */
export type ControlFact =
  /** The partition is read and judged by this member now. */
  | { readonly kind: 'owner'; readonly partition: number; readonly member: string; readonly url: string }
  /** This rollback wants to leave: its place among the others of the last hour decides. */
  | { readonly kind: 'rollback'; readonly signalId: string; readonly service: string; readonly member: string; readonly at: EpochMs }
  /** Harm of a canary was proven, whatever comes of it. */
  | { readonly kind: 'harm'; readonly rolloutId: string; readonly service: string; readonly at: EpochMs }
  /** Somebody has looked: what was said before counts no more. */
  | { readonly kind: 'reset'; readonly by: string; readonly at: EpochMs };

export type ControlRecord = ControlFact & { readonly offset: number };

/** A key whose fact was taken away. */
export interface ControlForgotten {
  readonly kind: 'forgotten';
  readonly key: string;
  readonly offset: number;
}
