/** What delivery works with, and the clocks and limits it falls back to. */
import type { EscalationConfig } from '../config/sink-config.ts';
import type { Notice } from '../model/notice.ts';
import type { Signal } from '../model/rollout.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { SignalJournal } from '../store/journal.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { ReadBack, Sink } from './sink.ts';

/** `wait`: an operator holds signals back; nothing is sent, and it is asked again soon. */
export type Currency = 'send' | 'superseded' | 'expired' | 'wait';

export interface DeliveryParts {
  readonly journal: SignalJournal;
  /** By name; a journalled signal for a name that is not here waits until it appears or the signal expires. */
  readonly sinks: ReadonlyMap<string, Sink>;
  readonly telemetry: Telemetry;
  /** Wall clock. */
  now(): EpochMs;
  /** Never jumps: by it a signal that is held expires. The runtime's own by default. */
  monotonicMs?(): DurationMs;
  /** Asked before an attempt is journalled, and again right before it acts. */
  isCurrent(signal: Signal): Currency;
  /** True while another replica is the one to act first. Never by default. */
  isStandby?(): boolean;
  /**
   * Tells people that somebody is needed, or that nobody is any more. Resolves when some channel that reaches a person took it; tried again when it rejects,
   * and after a restart that came before it was journalled. Gives up when `abort` fires. By default only the log tells.
   */
  escalate?(notice: Notice, abort: AbortSignal): Promise<void>;
  /** Signals that tell of an effect that was seen; their ids depend on nothing but the signal. None by default. */
  followUps?(signal: Signal, seen: ReadBack): readonly Signal[];
  /** After 60 s undelivered or unconfirmed by default. */
  readonly escalation?: Pick<EscalationConfig, 'afterMs' | 'confirmWithinMs'>;
  /** Runs `task` once after a wait, and returns what cancels it; by default a timer of the runtime. */
  schedule?(task: () => void, waitMs: DurationMs): () => void;
  /** Uniform in [0, 1), for jitter. */
  random?(): number;
  readonly limits?: { readonly inFlightPerSink?: number; readonly held?: number };
}

/** The parts with nothing left open. */
export interface DeliveryGround {
  readonly journal: SignalJournal;
  readonly sinks: ReadonlyMap<string, Sink>;
  readonly telemetry: Telemetry;
  now(): EpochMs;
  monotonicMs(): DurationMs;
  isCurrent(signal: Signal): Currency;
  isStandby(): boolean;
  escalate(notice: Notice, abort: AbortSignal): Promise<void>;
  followUps(signal: Signal, seen: ReadBack): readonly Signal[];
  readonly afterMs: DurationMs;
  readonly confirmWithinMs: DurationMs;
  schedule(task: () => void, waitMs: DurationMs): () => void;
  random(): number;
}

const ESCALATE_AFTER_MS: DurationMs = 60_000;

export function deliveryGround(parts: DeliveryParts): DeliveryGround {
  return {
    journal: parts.journal,
    sinks: parts.sinks,
    telemetry: parts.telemetry,
    now: () => parts.now(),
    monotonicMs: parts.monotonicMs?.bind(parts) ?? (() => performance.now()),
    isCurrent: (signal) => parts.isCurrent(signal),
    isStandby: parts.isStandby?.bind(parts) ?? (() => false),
    escalate: parts.escalate?.bind(parts) ?? (async () => {}),
    followUps: parts.followUps?.bind(parts) ?? (() => []),
    afterMs: parts.escalation?.afterMs ?? ESCALATE_AFTER_MS,
    confirmWithinMs: parts.escalation?.confirmWithinMs ?? ESCALATE_AFTER_MS,
    schedule: parts.schedule?.bind(parts) ?? runtimeTimer,
    random: parts.random?.bind(parts) ?? Math.random,
  };
}

function runtimeTimer(task: () => void, waitMs: DurationMs): () => void {
  const timer = setTimeout(task, waitMs);
  return () => clearTimeout(timer);
}
