/** What people were told stays in step with what fires: over outages, refusals, restarts and burns that come and go. */
import { setImmediate } from 'node:timers/promises';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { Notice } from '../../../src/model/notice.ts';
import { NoticeBoard } from '../../../src/sinks/notices/notice-board.ts';
import { NoticeChannel } from '../../../src/sinks/notices/notice-channel.ts';
import { MemoryTelemetry } from '../../support/memory-telemetry.ts';
import { burn, NOW, WritingNotifier } from './notices.ts';

class Stand {
  readonly notifier = new WritingNotifier();
  readonly telemetry = new MemoryTelemetry();
  nowMs = NOW;
  channel: NoticeChannel;
  readonly #resendMs: number | null;

  constructor(resendMs: number | null = null) {
    this.#resendMs = resendMs;
    this.channel = this.started();
  }

  started(): NoticeChannel {
    return new NoticeChannel({
      notifier: this.notifier,
      burns: new Set(['page']),
      resendMs: this.#resendMs,
      telemetry: this.telemetry,
      now: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      random: () => 0,
    });
  }

  /** Second after second the same burns fire. */
  async pass(seconds: number, ...firing: readonly Notice[]): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1000;
      this.channel.setFiring(firing);
      for (let turn = 0; turn < 10; turn++) await setImmediate();
    }
  }
}

describe('a channel', () => {
  it('tells once that a burn began and once that it is over, with its end', async () => {
    const stand = new Stand();
    await stand.pass(5, burn('a'));
    await stand.pass(5);
    expect(stand.notifier.keys).toEqual(['+a', '-a']);
    expect(stand.notifier.told[1]?.endsAt).toBe(NOW + 6000);
  });

  it('leaves out severities that are not for it', async () => {
    const stand = new Stand();
    await stand.pass(2, burn('a', { key: 'burn:a:ticket', severity: 'ticket' }), burn('b'));
    expect(stand.notifier.keys).toEqual(['+b']);
  });

  it('tells after an outage what fires then, and nothing of what came and went meanwhile', async () => {
    const stand = new Stand();
    stand.notifier.answers.push(...Array.from({ length: 4 }, () => 'down' as const));
    await stand.pass(2, burn('short'), burn('long'));
    await stand.pass(20, burn('long'));
    expect(stand.notifier.keys).toEqual(['+long']);
    expect(stand.telemetry.lines.filter((line) => line.level === 'error')).toHaveLength(1);
  });

  it('waits longer and longer while the other side is down', async () => {
    const stand = new Stand();
    stand.notifier.answers.push(...Array.from({ length: 1000 }, () => 'down' as const));
    await stand.pass(300, burn('a'));
    expect(stand.notifier.attempts).toBeLessThan(20);
    expect(stand.notifier.attempts).toBeGreaterThan(8);
  });

  it('lets a notice that is refused step back behind the others, and tries it again later', async () => {
    const stand = new Stand();
    stand.notifier.answers.push('refused');
    await stand.pass(2, burn('odd'), burn('even'));
    expect(stand.notifier.keys).toEqual(['+even']);
    await stand.pass(30, burn('odd'), burn('even'));
    expect(stand.notifier.keys).toEqual(['+even', '+odd']);
  });

  it('sends again what fires, and for five minutes what is over, where the other side forgets', async () => {
    const stand = new Stand(60_000);
    await stand.pass(185, burn('a'));
    expect(stand.notifier.keys).toEqual(['+a', '+a', '+a', '+a']);
    await stand.pass(900);
    const over = stand.notifier.keys.slice(4);
    expect(new Set(over)).toEqual(new Set(['-a']));
    expect(over.length).toBeGreaterThanOrEqual(5);
    expect(over.length).toBeLessThanOrEqual(6);
  });

  it('tells after a restart neither the same again nor forgets the end', async () => {
    const stand = new Stand();
    await stand.pass(2, burn('a'), burn('b'));
    const board = new NoticeBoard([stand.channel], []);
    const saved = board.snapshot();
    expect(board.snapshot()).toEqual([]);
    stand.channel = stand.started();
    new NoticeBoard([stand.channel], []).restore(saved);
    await stand.pass(5, burn('a'));
    expect(stand.notifier.keys).toEqual(['+a', '+b', '-b']);
  });

  it('tells what needs a person before anything else, and says when it was taken', async () => {
    const stand = new Stand();
    const taken: string[] = [];
    stand.notifier.answers.push('down');
    void stand.channel.tell(burn('urgent', { topic: 'undelivered' }), new AbortController().signal).then(() => taken.push('urgent'));
    await stand.pass(2, burn('a'));
    expect(taken).toEqual(['urgent']);
    expect(stand.notifier.keys).toEqual(['+urgent', '+a']);
  });

  test.prop([fc.array(fc.record({ fires: fc.subarray(['a', 'b', 'c']), down: fc.boolean(), restart: fc.boolean() }), { maxLength: 40 })])(
    'has told in the end exactly what fires, whatever came before',
    async (steps) => {
      const stand = new Stand();
      const known = new Set<string>();
      for (const { fires, down, restart } of steps) {
        if (down) stand.notifier.answers.push('down');
        if (restart) {
          const saved = new NoticeBoard([stand.channel], []).snapshot();
          const told = [...stand.channel.told()];
          stand.channel = stand.started();
          stand.channel.restore(told);
          expect(saved.length).toBeLessThanOrEqual(1);
        }
        await stand.pass(1, ...fires.map((key) => burn(key)));
      }
      const last = steps.at(-1)?.fires ?? [];
      stand.notifier.answers.length = 0;
      await stand.pass(60, ...last.map((key) => burn(key)));
      for (const key of stand.notifier.keys) {
        if (key.startsWith('+')) known.add(key.slice(1));
        else known.delete(key.slice(1));
      }
      expect([...known].sort()).toEqual([...last].sort());
    },
  );
});

describe('the board', () => {
  it('has an escalation taken as soon as one of its channels took it, and tells the others later', async () => {
    const [first, second, other] = [new Stand(), new Stand(), new Stand()];
    first.notifier.answers.push('down');
    const named = (stand: Stand, name: string) => Object.defineProperty(stand.notifier, 'name', { value: name });
    named(first, 'first');
    named(second, 'second');
    named(other, 'other');
    await new NoticeBoard([first.channel, second.channel, other.channel], ['first', 'second']).escalate(
      burn('x', { topic: 'undelivered' }),
      new AbortController().signal,
    );
    expect(second.notifier.keys).toEqual(['+x']);
    expect(first.notifier.keys).toEqual([]);
    await first.pass(2);
    expect(first.notifier.keys).toEqual(['+x']);
    expect(other.notifier.keys).toEqual([]);
  });

  it('tells those who are told of trouble what needs a person, and of its end, whatever burns they are told of', async () => {
    const [named, other] = [new Stand(), new Stand()];
    Object.defineProperty(other.notifier, 'name', { value: 'other' });
    const board = new NoticeBoard([named.channel, other.channel], ['people']);
    const needed = burn('store', { topic: 'undelivered', severity: 'ticket' });
    for (const needs of [[needed], [needed], []]) {
      board.setFiring([burn('a')], needs);
      for (let turn = 0; turn < 10; turn++) await setImmediate();
    }
    expect(named.notifier.keys).toEqual(['+a', '+store', '-store']);
    expect(other.notifier.keys).toEqual(['+a']);
  });

  const forever = new AbortController().signal;
  const urgent = burn('x', { topic: 'undelivered' });
  const over = { ...urgent, state: 'resolved', endsAt: NOW } as const;
  const waiting = async () => {
    const stand = new Stand();
    const board = new NoticeBoard([stand.channel], ['people']);
    stand.notifier.answers.push('down');
    await stand.pass(1, burn('a'));
    const begun = board.escalate(urgent, forever).then(
      () => 'taken',
      () => 'withdrawn',
    );
    return { stand, board, begun };
  };

  it('tells neither that it began nor that it is over where both came while nobody could be told', async () => {
    const { stand, board, begun } = await waiting();
    await board.escalate(over, forever);
    expect(await begun).toBe('withdrawn');
    await stand.pass(5, burn('a'));
    expect(stand.notifier.keys).toEqual(['+a']);
  });

  it('tells that it is over where it may have been heard that it began', async () => {
    const { stand, board, begun } = await waiting();
    stand.notifier.answers.push('refused');
    await stand.pass(2, burn('a'));
    const ended = board.escalate(over, forever);
    expect(await begun).toBe('withdrawn');
    await stand.pass(40, burn('a'));
    await ended;
    expect(stand.notifier.keys).toEqual(['+a', '-x']);
  });

  it('keeps nothing to tell that nobody waits for', async () => {
    const { stand, board } = await waiting();
    const abort = new AbortController();
    const told = board.escalate(burn('y', { topic: 'undelivered' }), abort.signal);
    abort.abort();
    await expect(told).rejects.toThrow();
    await stand.pass(5);
    expect(stand.notifier.keys).toEqual(['+x']);
  });

  it('has an escalation taken at once when nobody is to be told', async () => {
    const stand = new Stand();
    await new NoticeBoard([stand.channel], []).escalate(burn('x'), new AbortController().signal);
    expect(stand.notifier.attempts).toBe(0);
  });
});
