/** One way to tell people: keeps what they were told in step with what fires, over failures and restarts. */
import { RetryableError } from '../../model/errors.ts';
import type { Notice } from '../../model/notice.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { refusedWaitMs, retryWaitMs } from '../backoff.ts';
import { failureOf } from '../delivery-failure.ts';
import type { Notifier } from '../notifier.ts';

/** What is over is said again for so long. Source: Alertmanager, "Sending alerts": clients send resolved alerts again for some time. */
const RESOLVED_AGAIN_MS: DurationMs = 5 * 60_000;

export interface ChannelParts {
  readonly notifier: Notifier;
  /** Severities of burning budgets that are told here. */
  readonly burns: ReadonlySet<Notice['severity']>;
  /** What fires is sent again so often; null: once is enough. */
  readonly resendMs: DurationMs | null;
  readonly telemetry: Telemetry;
  /** Wall clock. */
  now(): EpochMs;
  /** Never jumps. */
  monotonicMs(): DurationMs;
  /** Uniform in [0, 1), for jitter. */
  random(): number;
}

interface Told {
  readonly notice: Notice;
  readonly sentMs: DurationMs;
}

interface Once {
  readonly notice: Notice;
  taken(): void;
}

interface Waiting extends Once {
  /** An attempt that failed may have been heard all the same. */
  isTried: boolean;
  withdrawn(): void;
}

/**
 * Goes by what should be known and what was told, not by single changes: what came and went while the other side was away is not told, what still fires is.
 * One request at a time, what is told once first; after a failure it waits longer and longer, and a notice that is refused steps back behind the others.
 */
export class NoticeChannel {
  readonly #parts: ChannelParts;
  readonly #abort = new AbortController();
  #firing: ReadonlyMap<string, Notice> = new Map();
  readonly #told = new Map<string, Told>();
  readonly #once: Waiting[] = [];
  #sending: Promise<void> | null = null;
  #failures = 0;
  #retryMs: DurationMs = Number.NEGATIVE_INFINITY;
  /** Notices that the other side will not take, by key: until when they step back behind the others. */
  readonly #refused = new Map<string, DurationMs>();
  #isUnsaved = false;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.notifier.name;
  }

  /** All that fires now; what is not among it any more is over. Burns of other severities are left out. To be called about once a second: it also sends again what is due. */
  setFiring(notices: readonly Notice[]): void {
    this.#firing = new Map(
      notices.filter(({ topic, severity }) => topic !== 'burn' || this.#parts.burns.has(severity)).map((notice) => [notice.key, notice]),
    );
    this.#pump();
  }

  /** Resolves when the other side has taken it; rejects when `abort` fires before that, or when it is withdrawn. */
  tell(notice: Notice, abort: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const withdrawn = () => {
        abort.removeEventListener('abort', withdrawn);
        this.#drop(notice);
        reject(new RetryableError('withdrawn', `telling ${this.name}: no longer wanted`));
      };
      const taken = () => {
        abort.removeEventListener('abort', withdrawn);
        resolve();
      };
      this.#once.push({ notice, isTried: false, taken, withdrawn });
      if (abort.aborted) withdrawn();
      else abort.addEventListener('abort', withdrawn);
      this.#pump();
    });
  }

  /** What began and waits to be told is not tried any more. True when the other side cannot know of it, so that its end need not be told either. */
  withdraw(key: string): boolean {
    const waiting = this.#once.find(({ notice }) => notice.key === key && notice.state === 'firing');
    waiting?.withdrawn();
    return waiting?.isTried === false;
  }

  /** What was told and is not over, to be saved; null when nothing changed since the last call. */
  takeUnsaved(): readonly Notice[] | null {
    if (!this.#isUnsaved) return null;
    this.#isUnsaved = false;
    return this.told();
  }

  told(): readonly Notice[] {
    return [...this.#told.values()].map(({ notice }) => notice).filter(({ state }) => state === 'firing');
  }

  /** Takes up what was told before a restart: it is not told again, and its end is. */
  restore(notices: readonly Notice[]): void {
    // Due at once where it is to be sent again: the other side may have forgotten it meanwhile.
    for (const notice of notices) this.#told.set(notice.key, { notice, sentMs: Number.NEGATIVE_INFINITY });
  }

  /** Breaks off what is in flight. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#sending;
  }

  #pump(): void {
    if (this.#sending !== null || this.#abort.signal.aborted || this.#parts.monotonicMs() < this.#retryMs) return;
    const next = this.#next();
    if (next === null) return;
    this.#sending = this.#send(next).finally(() => {
      this.#sending = null;
      this.#pump();
    });
  }

  #next(): Once | null {
    return this.#once.find(({ notice }) => this.#isDue(notice.key)) ?? this.#over() ?? this.#begun() ?? this.#again();
  }

  #isDue(key: string): boolean {
    return (this.#refused.get(key) ?? Number.NEGATIVE_INFINITY) <= this.#parts.monotonicMs();
  }

  #over(): Once | null {
    for (const [key, { notice }] of this.#told) {
      if (notice.state === 'firing' && !this.#firing.has(key) && this.#isDue(key))
        return this.#toTell({ ...notice, state: 'resolved', endsAt: this.#parts.now() });
    }
    return null;
  }

  #begun(): Once | null {
    for (const notice of this.#firing.values()) {
      if (this.#told.get(notice.key)?.notice.state !== 'firing' && this.#isDue(notice.key)) return this.#toTell(notice);
    }
    return null;
  }

  #again(): Once | null {
    const { resendMs, monotonicMs, now } = this.#parts;
    if (resendMs === null) return null;
    for (const [key, { notice, sentMs }] of this.#told) {
      if (notice.endsAt !== null && now() - notice.endsAt > RESOLVED_AGAIN_MS) this.#told.delete(key);
      else if (monotonicMs() - sentMs >= resendMs && this.#isDue(key)) return this.#toTell(this.#firing.get(key) ?? notice);
    }
    return null;
  }

  #toTell(notice: Notice): Once {
    return { notice, taken: () => this.#note(notice) };
  }

  #note(notice: Notice): void {
    const before = this.#told.get(notice.key)?.notice.state;
    if (notice.state === 'resolved' && this.#parts.resendMs === null) this.#told.delete(notice.key);
    else this.#told.set(notice.key, { notice, sentMs: this.#parts.monotonicMs() });
    if (before !== notice.state) this.#isUnsaved = true;
  }

  #drop(notice: Notice): void {
    const at = this.#once.findIndex((once) => once.notice === notice);
    if (at >= 0) this.#once.splice(at, 1);
    this.#refused.delete(notice.key);
  }

  async #send({ notice, taken }: Once): Promise<void> {
    const { notifier, telemetry, monotonicMs, random } = this.#parts;
    const fields = { sink: notifier.name, notice: notice.key, topic: notice.topic, state: notice.state, service: notice.service };
    const waiting = this.#once.find((once) => once.notice === notice);
    if (waiting !== undefined) waiting.isTried = true;
    try {
      await notifier.notify(notice, this.#abort.signal);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      const { kind, text, retryAfterMs = 0 } = failureOf(error);
      const isFirst = this.#failures === 0 && !this.#refused.has(notice.key);
      if (kind === 'retry') {
        this.#failures++;
        this.#retryMs = monotonicMs() + Math.max(retryWaitMs(this.#failures, random()), retryAfterMs);
      } else this.#refused.set(notice.key, monotonicMs() + refusedWaitMs(random()));
      telemetry.add('notices_total', 1, { sink: notifier.name, result: 'failed' });
      if (isFirst) telemetry.log.error({ ...fields, error: text }, 'people cannot be told');
      return;
    }
    if (this.#failures > 0) telemetry.log.info({ ...fields, failures: this.#failures }, 'people can be told again');
    this.#failures = 0;
    telemetry.add('notices_total', 1, { sink: notifier.name, result: 'told' });
    this.#drop(notice);
    taken();
  }
}
