/** Notices and another side that writes down what it was told, for tests. */
import { PermanentError, RetryableError } from '../../../src/model/errors.ts';
import type { Notice } from '../../../src/model/notice.ts';
import type { Notifier } from '../../../src/sinks/notifier.ts';

export const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);

export function burn(key: string, change: Partial<Notice> = {}): Notice {
  return {
    key: `burn:${key}:page`,
    topic: 'burn',
    state: 'firing',
    severity: 'page',
    service: 'shop',
    title: `shop: ${key} burns its error budget`,
    details: ['120 bad of 3,000 in 60 min (40 times too fast)'],
    labels: { objective: key },
    startsAt: NOW - 60_000,
    endsAt: null,
    link: 'https://slipstream.example.com/v1/slo/explanation',
    ...change,
  };
}

export class WritingNotifier implements Notifier {
  readonly name = 'people';
  readonly told: Notice[] = [];
  /** What the next ones meet, first come first; null: they are taken. */
  readonly answers: ('down' | 'refused' | null)[] = [];
  attempts = 0;

  async notify(notice: Notice): Promise<void> {
    this.attempts++;
    const answer = this.answers.shift() ?? null;
    if (answer === 'down') throw new RetryableError('network', 'no way');
    if (answer === 'refused') throw new PermanentError('refused', 'not this one');
    this.told.push(notice);
  }

  get keys(): string[] {
    return this.told.map(({ key, state }) => `${state === 'firing' ? '+' : '-'}${key.replace(/^burn:|:page$/g, '')}`);
  }
}
