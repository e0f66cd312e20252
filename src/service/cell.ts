/** Judging of some services with all that belongs to it: their runs and objectives, the journal, deliveries, notices, and answers about them. */
import type { ApiHandlers, Readiness } from '../api/handlers.ts';
import type { Config } from '../config/config.ts';
import type { SignalStanding } from '../engine/control-desk.ts';
import { inputsView } from '../engine/inputs-view.ts';
import type { SourceBook } from '../engine/source-book.ts';
import type { Engine } from '../engine.ts';
import type { Checkpoint, StoredNote } from '../model/checkpoint.ts';
import type { QuarantinedRecord } from '../model/inputs-view.ts';
import type { Signal } from '../model/rollout.ts';
import type { Delivery } from '../sinks/delivery.ts';
import type { Sink } from '../sinks/sink.ts';
import type { Store } from '../store/store.ts';
import type { RunningTelemetry } from '../telemetry/create-telemetry.ts';
import { addressing } from './addressing.ts';
import { apiHandlers } from './api-handlers.ts';
import type { Clock } from './clock.ts';
import { KillSwitch } from './control-switch.ts';
import { guarded } from './guarded.ts';
import { Judging } from './judging.ts';
import { kayentaHandlers } from './kayenta-handlers.ts';
import { type Notices, startNotices } from './notices.ts';
import { ObjectiveMetrics } from './objective-metrics.ts';
import { scrapedCell } from './scraped-cell.ts';
import { SettledRuns } from './settled.ts';
import { signalDelivery } from './signal-delivery.ts';

const TICK_MS = 500;
/** How often the gauges of objectives are set. */
const OBJECTIVES_MS = 5_000;
/** How often people are told what changed. */
const NOTICES_MS = 1_000;

export interface CellParts {
  readonly config: Config;
  readonly telemetry: RunningTelemetry;
  readonly clock: Clock;
  readonly version: string;
  readonly engine: Engine;
  readonly store: Store;
  /** What was saved. */
  readonly notes: readonly StoredNote[];
  readonly sinks: ReadonlyMap<string, Sink>;
  /** See `Judging`. */
  readonly sources: SourceBook | null;
  /** Another replica is the one to act first. */
  isStandby(): boolean;
  /** To be waited for before a signal that is journalled is handed to delivery; absent: nothing. Never rejects. */
  beforeDelivery?(signal: Signal): Promise<unknown>;
  /** What else must allow a signal to leave, beside this cell; absent: nothing. */
  permit?(signal: Signal): SignalStanding;
  /** Attributes by which releases are told apart, the most telling first. */
  releaseBy(): readonly string[];
  /** What those who bring counts want saved with them. */
  savedWith?(): Checkpoint['notes'];
  /** Records that were set aside, newest last; absent: none. */
  quarantined?(): readonly QuarantinedRecord[];
  readiness(): Readiness;
  metrics(): Promise<string>;
}

export class Cell {
  readonly engine: Engine;
  readonly judging: Judging;
  readonly delivery: Delivery;
  readonly handlers: ApiHandlers;
  readonly #parts: CellParts;
  readonly #killSwitch: KillSwitch;
  readonly #notices: Notices;
  readonly #settled: SettledRuns;
  #timers: NodeJS.Timeout[] = [];
  #hide: (() => void) | null = null;

  /** Nothing happens before `start`, but that the kill switch is looked at. */
  constructor(parts: CellParts) {
    const { config, telemetry, clock, engine, store, notes, sinks, sources } = parts;
    this.#parts = parts;
    this.engine = engine;
    const killSwitch = new KillSwitch({ path: config.killSwitchFile, controls: engine.controls, telemetry, now: clock.now });
    const notices = startNotices({ config, engine, telemetry, clock, notes });
    const settled = new SettledRuns((id) => engine.rollouts.find(id)?.view() ?? null);
    this.#killSwitch = killSwitch;
    this.#notices = notices;
    this.#settled = settled;
    this.delivery = signalDelivery({
      journal: store.journal,
      sinks,
      telemetry,
      clock,
      escalation: config.escalation,
      isStandby: parts.isStandby,
      escalate: (notice, abort) => notices.board.escalate(notice, abort),
      isCurrent: (signal: Signal) => {
        const standing = killSwitch.standing(signal, engine.rollouts);
        return standing === 'send' ? (parts.permit?.(signal) ?? 'send') : standing;
      },
    });
    const judging = new Judging({
      engine,
      store,
      telemetry,
      clock,
      sources,
      address: addressing(sinks, config.api.publicUrl, config.escalation.to),
      deliver: (entries) => {
        const { beforeDelivery } = parts;
        if (beforeDelivery === undefined) this.delivery.submit(entries);
        else void Promise.all(entries.map(({ signal }) => beforeDelivery(signal))).then(() => this.delivery.submit(entries));
      },
      changed: () => settled.look(),
      notes: () => [...notices.board.snapshot(), ...(sources?.snapshot() ?? []), ...(parts.savedWith?.() ?? [])],
    });
    this.judging = judging;
    this.handlers = apiHandlers({
      engine,
      store,
      delivery: this.delivery,
      telemetry,
      clock,
      version: parts.version,
      settled,
      kayenta: kayentaHandlers(parts.releaseBy),
      inputs: () => (sources === null ? null : inputsView(sources, clock.now(), parts.quarantined?.())),
      ceiling: (rollout) => killSwitch.ceiling(rollout),
      checkpoint: () => judging.checkpoint(),
      isDurable: () => judging.isDurable,
      metrics: () => parts.metrics(),
      readiness: () => parts.readiness(),
    });
  }

  /** `tick` is called about twice a second, to move judging on. */
  start(tick: () => void): void {
    const { telemetry, engine, clock, config } = this.#parts;
    const objectives = new ObjectiveMetrics(telemetry);
    const every = (ms: number, act: () => void): void => {
      this.#timers.push(setInterval(() => guarded(telemetry, act), ms));
    };
    every(TICK_MS, () => this.#killSwitch.look());
    every(TICK_MS, tick);
    every(config.state.checkpointIntervalMs, () => void this.judging.checkpoint());
    every(OBJECTIVES_MS, () => objectives.show(engine, clock.now()));
    every(NOTICES_MS, () => this.#notices.tick(this.judging.waiting));
    this.#hide ??= telemetry.show(() => scrapedCell(engine, clock.now()));
    this.delivery.resume();
  }

  /** Nothing is judged by itself any more. */
  pause(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  /** Lets go of callers that wait, and of deliveries; what is open stays in the journal. Does not save. */
  async stop(): Promise<void> {
    this.pause();
    this.#hide?.();
    this.#settled.stop();
    await Promise.all([this.delivery.stop(), this.#notices.board.stop()]);
  }
}
