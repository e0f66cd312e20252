/** What every sink must do, wherever it sends to. */
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RetryableError } from '../../src/model/errors.ts';
import { messageOf } from '../../src/sinks/message.ts';
import type { Attempt, Sink } from '../../src/sinks/sink.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';

export interface RunningSink {
  readonly sink: Sink;
  /** Bodies that reached the other side. */
  arrived(): readonly string[];
  /** From now on the other side fails in passing. */
  breakDown(): void;
  /** From now on the other side takes messages and never answers; the promise resolves when it has taken one. */
  stall(): Promise<void>;
  /** What must never be seen. */
  readonly secrets: readonly string[];
  stop(): Promise<void>;
}

const message = messageOf(sampleSignal({ summary: 'Grüße\nfrom "checkout" \u0000 ☃' }), DECIDED_AT);
export const never = attempt(new AbortController().signal);

export function attempt(abort: AbortSignal): Attempt {
  return { abort, mayStillAct: () => true };
}

export async function failureOf(delivered: Promise<unknown>): Promise<unknown> {
  return delivered.then(
    () => {
      throw new Error('it was delivered');
    },
    (error: unknown) => error,
  );
}

export function describeSink(name: string, start: () => Promise<RunningSink>): void {
  describe(`the ${name} sink`, () => {
    let running: RunningSink;
    beforeEach(async () => {
      running = await start();
    });
    afterEach(() => running.stop());

    it('delivers the bytes it was given, each time it is asked', async () => {
      await running.sink.deliver(message, never);
      await running.sink.deliver(message, never);
      expect(running.arrived()).toEqual([message.body, message.body]);
    });

    it('says that trying again may help when the other side fails in passing', async () => {
      running.breakDown();
      const error = await failureOf(running.sink.deliver(message, never));
      expect(error).toBeInstanceOf(RetryableError);
      expect(String(error)).toContain(message.id);
    });

    it('sends nothing once it is stopped', async () => {
      const error = await failureOf(running.sink.deliver(message, attempt(AbortSignal.abort())));
      expect(error).toMatchObject({ name: 'RetryableError', code: 'aborted' });
      expect(running.arrived()).toEqual([]);
    });

    it('ends when it is stopped while the other side is silent', async () => {
      const taken = running.stall();
      const abort = new AbortController();
      const failure = failureOf(running.sink.deliver(message, attempt(abort.signal)));
      await taken;
      abort.abort();
      expect(await failure).toMatchObject({ name: 'RetryableError', code: 'aborted' });
    });

    it('shows no secret, neither itself nor in its errors', async () => {
      running.breakDown();
      const error = await failureOf(running.sink.deliver(message, never));
      const stack = error instanceof Error ? error.stack : '';
      const seen = [inspect(running.sink, { depth: null, showHidden: true }), inspect(error, { depth: null, showHidden: true }), stack]
        .concat(JSON.stringify([running.sink, error]))
        .join('\n');
      expect(seen).toContain(running.sink.name);
      for (const secret of running.secrets) expect(seen).not.toContain(secret);
    });
  });
}
