/** The records of the control topic, and their wire form: JSON under a key that says what it is about, so that the newest of each stays. */
import type { EpochMs } from '../../model/time.ts';

/** Without its place in the topic. */
export type ControlFact =
  /** The partition is read and judged by this member now. */
  | { readonly kind: 'owner'; readonly partition: number; readonly member: string; readonly url: string }
  /**
   * This rollback wants to leave: its place among the others of the last hour decides. `at` is the wall clock of who writes, `provenAt` the event time of
   * its evidence.
   */
  | {
      readonly kind: 'rollback';
      readonly signalId: string;
      readonly service: string;
      readonly member: string;
      readonly at: EpochMs;
      readonly provenAt: EpochMs;
    }
  /** Harm of a canary was proven at this event time, whatever comes of it. */
  | { readonly kind: 'harm'; readonly rolloutId: string; readonly service: string; readonly at: EpochMs }
  /** Somebody has looked: what was said before counts no more. */
  | { readonly kind: 'reset'; readonly by: string; readonly at: EpochMs };

/** `cleared`: the topic was made again or cut, so all that was read of it is worth nothing. */
export type ControlRecord = (ControlFact & { readonly offset: number }) | { readonly kind: 'cleared' };

export function keyOf(fact: ControlFact): string {
  switch (fact.kind) {
    case 'owner':
      return `owner/${fact.partition}`;
    case 'rollback':
      return `rollback/${fact.signalId}`;
    case 'harm':
      return `harm/${fact.rolloutId}`;
    case 'reset':
      return 'reset';
    default:
      return fact satisfies never;
  }
}

export function encodeFact(fact: ControlFact): Uint8Array {
  return Buffer.from(JSON.stringify(fact), 'utf8');
}

/** Null for what this version does not know, and for what is no fact: other members may be newer. */
export function readFact(value: Uint8Array): ControlFact | null {
  let given: unknown;
  try {
    given = JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    return null;
  }
  if (typeof given !== 'object' || given === null) return null;
  const fact = given as Record<string, unknown>;
  const texts = (...names: string[]): boolean => names.every((name) => typeof fact[name] === 'string');
  const numbers = (...names: string[]): boolean => names.every((name) => Number.isFinite(fact[name]));
  const isWhole = (): boolean => {
    switch (fact.kind) {
      case 'owner':
        return Number.isSafeInteger(fact.partition) && texts('member', 'url') && URL.canParse(String(fact.url));
      case 'rollback':
        return texts('signalId', 'service', 'member') && numbers('at', 'provenAt');
      case 'harm':
        return texts('rolloutId', 'service') && numbers('at');
      case 'reset':
        return texts('by') && numbers('at');
      default:
        return false;
    }
  };
  return isWhole() ? (given as ControlFact) : null;
}
