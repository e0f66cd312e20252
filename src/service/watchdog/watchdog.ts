/** Proves again and again that this process still finds bad canaries, and names the part that keeps it from doing so. */
import { TimeLimitError, within } from '../../kafka/time-limit.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import { WATCHDOG_PARTS, type WatchdogPart, type WatchdogView } from '../../model/watchdog-view.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Clock } from '../clock.ts';
import type { Finding, WatchdogCheck } from './finding.ts';
import type { Heartbeat } from './heartbeat.ts';

/** After the start. */
const FIRST_MS: DurationMs = 5_000;
/** One look at one part. */
const LOOK_MS: DurationMs = 5_000;

export interface WatchdogParts {
  readonly checks: readonly WatchdogCheck[];
  readonly intervalMs: DurationMs;
  /** Null: nobody outside is told. */
  readonly heartbeat: Pick<Heartbeat, 'send' | 'close'> | null;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** See `WatchdogFault`. */
  readonly member: string | null;
}

interface Broken {
  readonly fault: string;
  readonly since: EpochMs;
  /** By the monotonic clock. */
  readonly sinceMs: DurationMs;
}

export class Watchdog {
  readonly #parts: WatchdogParts;
  readonly #broken = new Map<WatchdogPart, Broken>();
  #lastSuccessAt: EpochMs | null = null;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<boolean> | null = null;
  #isStopping = false;

  constructor(parts: WatchdogParts) {
    this.#parts = parts;
  }

  /** The first round is soon, but not while everything else begins. */
  start(): void {
    const { intervalMs } = this.#parts;
    if (this.#timer !== null || this.#isStopping) return;
    this.#timer = setTimeout(
      () => {
        void this.round();
        this.#timer = setInterval(() => void this.round(), intervalMs);
      },
      Math.min(FIRST_MS, intervalMs),
    );
  }

  /** What a round under way finds from now on counts no more: parts are stopped. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#parts.heartbeat?.close();
  }

  get view(): WatchdogView {
    const { member } = this.#parts;
    const faults = WATCHDOG_PARTS.flatMap((part) => {
      const broken = this.#broken.get(part);
      return broken === undefined ? [] : [{ part, fault: broken.fault, since: broken.since, member }];
    });
    return { lastSuccessAt: this.#lastSuccessAt, faults };
  }

  /** Looks at everything; true when all is well. One round at a time: asked meanwhile, it gives the one under way. Never rejects. */
  round(): Promise<boolean> {
    this.#round ??= this.#look().finally(() => {
      this.#round = null;
    });
    return this.#round;
  }

  async #look(): Promise<boolean> {
    const { checks, telemetry, clock, heartbeat } = this.#parts;
    const begun = clock.monotonicMs();
    let isWell = true;
    for (const check of checks) {
      const findings = await findingsOf(check);
      if (this.#isStopping) return false;
      for (const finding of findings) {
        isWell &&= finding.fault === null;
        this.#note(finding);
      }
    }
    telemetry.observe('watchdog_seconds', (clock.monotonicMs() - begun) / 1000);
    if (!isWell) return false;
    const now = clock.now();
    this.#lastSuccessAt = now;
    telemetry.set('watchdog_last_success_timestamp_seconds', now / 1000);
    if (heartbeat === null) return true;
    const fault = await heartbeat.send(now);
    if (!this.#isStopping) this.#note({ part: 'heartbeat', fault });
    return true;
  }

  /** One line of the log when a part breaks, and one when it is well again. */
  #note({ part, fault }: Finding): void {
    const { telemetry, clock, member } = this.#parts;
    telemetry.add('watchdog_checks_total', 1, { part, result: fault === null ? 'ok' : 'failed' });
    const known = this.#broken.get(part);
    const of = { part, ...(member !== null && { member }) };
    if (fault === null) {
      if (known === undefined) return;
      this.#broken.delete(part);
      telemetry.log.info({ ...of, forMs: clock.monotonicMs() - known.sinceMs }, 'the watchdog finds a part well again');
      return;
    }
    this.#broken.set(part, { since: known?.since ?? clock.now(), sinceMs: known?.sinceMs ?? clock.monotonicMs(), fault });
    if (known === undefined) telemetry.log.error({ ...of, fault }, 'the watchdog finds a part that does not work');
  }
}

async function findingsOf({ part, look }: WatchdogCheck): Promise<readonly Finding[]> {
  try {
    return await within(Promise.resolve(look()), LOOK_MS);
  } catch (error) {
    const why =
      error instanceof TimeLimitError ? error.message : `looking failed: ${error instanceof Error ? error.message : String(error)}`;
    return [{ part, fault: why }];
  }
}
