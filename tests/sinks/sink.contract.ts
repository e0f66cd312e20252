/** What every sink must do, wherever it sends to: an endpoint that takes messages, or a server whose objects it changes. */
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RetryableError } from '../../src/model/errors.ts';
import { messageOf } from '../../src/sinks/message.ts';
import type { Attempt, ReadBack, Sink, SinkMessage } from '../../src/sinks/sink.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';

export interface RunningSink {
  readonly sink: Sink;
  /** What the sink can act upon; by default a rollback of a rollout that names no object. */
  readonly message?: SinkMessage;
  /** What had an effect on the other side, oldest first: bodies of messages that it took, or of changes that it made. */
  arrived(): readonly string[] | Promise<readonly string[]>;
  /** What one delivery makes arrive; the body of the message by default. */
  readonly expected?: readonly string[];
  /** What the second delivery of the same message makes arrive: the same again (by default), or nothing, since the effect is seen to be there. */
  readonly repeats?: 'again' | 'nothing';
  /** From now on the other side fails in passing. */
  breakDown(): void;
  /** From now on the other side takes what comes and never answers; the promise resolves when it has taken something. */
  stall(): Promise<void>;
  /** A sibling with the same other side that gives an attempt up within a second; absent where there is nothing to wait for. */
  readonly hasty?: Sink;
  /** A sibling with the same other side that does all but the effect; absent where a dry run is no different. */
  readonly dry?: Sink;
  /** What must never be seen. */
  readonly secrets: readonly string[];
  stop(): Promise<void>;
}

const ACTIONS: readonly string[] = ['rollback', 'promote', 'hold', 'rolled_back'];
const READ_BACK_STATES: readonly ReadBack['state'][] = ['confirmed', 'not_yet', 'superseded'];

const plainMessage = messageOf(sampleSignal({ summary: 'Grüße\nfrom "checkout" \u0000 ☃' }), DECIDED_AT);
export const never = attempt(new AbortController().signal);

export function attempt(abort: AbortSignal, mayStillAct = () => true): Attempt {
  return { abort, mayStillAct };
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
    let sink: Sink;
    let message: SinkMessage;
    beforeEach(async () => {
      running = await start();
      sink = running.sink;
      message = running.message ?? plainMessage;
    });
    afterEach(() => running.stop());

    const once = () => running.expected ?? [message.body];
    const shown = (error: unknown) =>
      [inspect(error, { depth: null, showHidden: true }), error instanceof Error ? error.stack : '', JSON.stringify(error)].join('\n');

    it('says which actions it can do something with, that of the message among them', () => {
      expect(ACTIONS).toEqual(expect.arrayContaining([...sink.actions]));
      expect(sink.actions).toContain(message.signal.action);
    });

    it('does the same with the same bytes each time it is asked', async () => {
      expect(['acknowledged', 'confirmed']).toContain(await sink.deliver(message, never));
      expect(await running.arrived()).toEqual(once());
      expect(['acknowledged', 'confirmed']).toContain(await sink.deliver(message, never));
      expect(await running.arrived()).toEqual(running.repeats === 'nothing' ? once() : [...once(), ...once()]);
    });

    it('says that trying again may help when the other side fails in passing', async () => {
      running.breakDown();
      const error = await failureOf(sink.deliver(message, never));
      expect(error).toBeInstanceOf(RetryableError);
      expect(String(error)).toContain(message.id);
    });

    it('has no effect once it is stopped', async () => {
      const error = await failureOf(sink.deliver(message, attempt(AbortSignal.abort())));
      expect(error).toMatchObject({ name: 'RetryableError', code: 'aborted' });
      expect(await running.arrived()).toEqual([]);
    });

    it('has no effect when the signal may not be acted upon any more, and says so', async () => {
      const error = await failureOf(
        sink.deliver(
          message,
          attempt(never.abort, () => false),
        ),
      );
      expect(error).toMatchObject({ name: 'RetryableError', code: 'stale' });
      expect(String(error)).toContain(message.id);
      expect(await running.arrived()).toEqual([]);
    });

    it('ends when it is stopped while the other side is silent', async () => {
      const taken = running.stall();
      const abort = new AbortController();
      const failure = failureOf(sink.deliver(message, attempt(abort.signal)));
      await taken;
      abort.abort();
      expect(await failure).toMatchObject({ name: 'RetryableError', code: 'aborted' });
    });

    it('ends by itself while the other side is silent', async () => {
      if (running.hasty === undefined) return;
      const taken = running.stall();
      const error = await failureOf(running.hasty.deliver(message, never));
      await taken;
      expect(error).toMatchObject({ name: 'RetryableError', code: 'timeout' });
      expect(String(error)).toContain(message.id);
    });

    it('does all but the effect in a dry run', async () => {
      if (running.dry === undefined) return;
      expect(await running.dry.deliver(message, never)).toBe('dry_run');
      expect(await running.arrived()).toEqual([]);
    });

    it('reads back what was done, in words, and ends when it is stopped', async () => {
      if (sink.readBack === undefined) return;
      await sink.deliver(message, never);
      const seen = await sink.readBack(message, never.abort);
      expect(READ_BACK_STATES).toContain(seen.state);
      expect(seen.detail).not.toBe('');
      const arrived = await running.arrived();
      const error = await failureOf(sink.readBack(message, AbortSignal.abort()));
      expect(error).toMatchObject({ name: 'RetryableError', code: 'aborted' });
      expect(await running.arrived()).toEqual(arrived);
    });

    it('shows no secret, neither itself nor in its errors', async () => {
      running.breakDown();
      const errors = [await failureOf(sink.deliver(message, never))];
      if (sink.readBack !== undefined) errors.push(await failureOf(sink.readBack(message, never.abort)));
      const seen = [sink, running.hasty, running.dry, ...errors].map(shown).join('\n');
      expect(seen).toContain(sink.name);
      for (const secret of running.secrets) expect(seen).not.toContain(secret);
    });
  });
}
