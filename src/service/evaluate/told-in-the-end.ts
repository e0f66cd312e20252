/** Tells something to others until it was told: they ask nobody of whom they do not know. */
import { setTimeout as pause } from 'node:timers/promises';
import type { DurationMs } from '../../model/time.ts';

const AGAIN_MS: DurationMs = 2_000;

export interface Telling {
  tell(): Promise<unknown>;
  /** It is not to be told any more. */
  isOver(): boolean;
  onFailure(error: unknown): void;
}

/** Resolves once it was told, or is over. */
export async function toldInTheEnd({ tell, isOver, onFailure }: Telling, againMs: DurationMs = AGAIN_MS): Promise<void> {
  while (!isOver()) {
    try {
      await tell();
      return;
    } catch (error) {
      onFailure(error);
    }
    await pause(againMs, undefined, { ref: false });
  }
}
