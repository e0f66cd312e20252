/** The alert book on the engine's time: asks how each service's telemetry is, and keeps what is to be told of alerts until it is taken. */
import { type TelemetryHealth, telemetryHealth } from '../evaluate/slo/telemetry-health.ts';
import type { StoredNote } from '../model/checkpoint.ts';
import type { Objective, Severity } from '../model/objective.ts';
import type { Policies } from '../model/policy.ts';
import type { TierReading } from '../model/slo-views.ts';
import type { EpochMs } from '../model/time.ts';
import type { Timing } from '../window/punctuality.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import { AlertBook } from './alert-book.ts';
import type { CountsOf } from './counts-of.ts';

/** `changes`: from page to ticket or back. An alert that freezes is one that fires: of others there is nothing to tell. */
export const ALERT_TURNS = ['fires', 'changes', 'resolves', 'freezes', 'thaws'] as const;
export type AlertTurn = (typeof ALERT_TURNS)[number];

/** Something to be told of an objective's alert. */
export interface AlertEvent {
  readonly turn: AlertTurn;
  readonly objective: Objective;
  /** What fires now, or fired until now. */
  readonly severity: Severity;
  readonly at: EpochMs;
  /** The tier behind it; null when nothing fires any more, and of a freeze. */
  readonly reading: TierReading | null;
}

/** Nobody takes them when there is no service around the engine: the newest are kept. */
const MAX_EVENTS = 1_000;

interface Firing {
  readonly objective: Objective;
  isFrozen: boolean;
}

export class AlertWatch {
  readonly book: AlertBook;
  readonly #firing = new Map<string, Firing>();
  #events: AlertEvent[] = [];

  constructor(policies: Policies) {
    this.book = new AlertBook(policies);
  }

  /** Looks at all alerts. `isKnown` is false while state is unknown or the clock is not trusted. */
  advance(
    counts: CountsOf,
    now: EpochMs,
    {
      window,
      isKnown,
      timing = 'newest',
    }: { readonly window: Pick<SlidingWindow, 'newestAt'>; readonly isKnown: boolean; readonly timing?: Timing },
  ): void {
    const health = (service: string): TelemetryHealth => {
      const newestAt = window.newestAt(service);
      // What is ahead is of a source that is, not of a clock that was set back.
      return telemetryHealth({
        newestAt: newestAt !== null && timing === 'complete' ? Math.min(newestAt, now) : newestAt,
        streamAt: now,
        isKnown,
      });
    };
    for (const { objective, from, to, at, reading } of this.book.advance(counts, now, health)) {
      const turn = from === null ? 'fires' : to === null ? 'resolves' : 'changes';
      const severity = to ?? from;
      if (severity !== null) this.#tell({ turn, objective, severity, at, reading });
      if (to === null) this.#firing.delete(objective.id);
      else this.#firing.set(objective.id, { objective, isFrozen: false });
    }
    for (const [id, firing] of this.#firing) {
      const { severity, isFrozen } = this.book.view(id);
      if (severity === null || isFrozen === firing.isFrozen) continue;
      firing.isFrozen = isFrozen;
      this.#tell({ turn: isFrozen ? 'freezes' : 'thaws', objective: firing.objective, severity, at: now, reading: null });
    }
  }

  /** What happened since the last call, oldest first. */
  takeEvents(): readonly AlertEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  reconfigure(policies: Policies): void {
    this.book.reconfigure(policies);
    this.#findFiring(policies);
  }

  snapshot(): readonly StoredNote[] {
    return this.book.snapshot();
  }

  /** Alerts that were firing go on and are not told of again. */
  restore(notes: readonly StoredNote[], policies: Policies): void {
    this.book.restore(notes);
    this.#findFiring(policies);
  }

  #findFiring(policies: Policies): void {
    this.#firing.clear();
    for (const { objectives } of policies.services.values()) {
      for (const objective of objectives) {
        const { severity, isFrozen } = this.book.view(objective.id);
        if (severity !== null) this.#firing.set(objective.id, { objective, isFrozen });
      }
    }
  }

  #tell(event: AlertEvent): void {
    this.#events.push(event);
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
  }
}
