/** A delivery in time that only the test moves, with a deploy system that does as it is told, a channel to people, and a journal that can refuse. */
import { RetryableError } from '../../src/model/errors.ts';
import type { Notice } from '../../src/model/notice.ts';
import type { Signal } from '../../src/model/rollout.ts';
import { Delivery } from '../../src/sinks/delivery.ts';
import type { Currency, DeliveryParts } from '../../src/sinks/delivery-parts.ts';
import { ALL_RUN_ACTIONS, type Attempt, type ReadBack, type Receipt, type Sink, type SinkMessage } from '../../src/sinks/sink.ts';
import type { JournalEntry, SignalJournal } from '../../src/store/journal.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { ManualTime, until } from './manual-time.ts';

/** Acts at once on what it takes, and can be read back. */
export class DeploySystem implements Sink {
  readonly name = 'deploy';
  readonly actions = ALL_RUN_ACTIONS;
  /** Ids of the signals that reached it. */
  readonly taken: string[] = [];
  looks = 0;
  take: (message: SinkMessage, attempt: Attempt) => Receipt | Promise<Receipt> = () => 'acknowledged';
  look: () => ReadBack = () => ({ state: 'not_yet', detail: 'it is under way' });

  async deliver(message: SinkMessage, attempt: Attempt): Promise<Receipt> {
    if (!attempt.mayStillAct()) throw new RetryableError('stale', 'not any more');
    this.taken.push(message.id);
    return this.take(message, attempt);
  }

  async readBack(): Promise<ReadBack> {
    this.looks++;
    return this.look();
  }
}

export class DeliveryStand {
  readonly time = new ManualTime(DECIDED_AT);
  readonly telemetry = new MemoryTelemetry();
  readonly store = new MemoryStore();
  readonly deploy = new DeploySystem();
  readonly sinks = new Map<string, Sink>([['deploy', this.deploy]]);
  readonly told: Notice[] = [];
  journalDown = false;
  /** What becomes of the next notices; the last one stays. */
  channel: () => Promise<void> = async () => {};
  current: () => Currency = () => 'send';
  standby = false;
  readonly #deliveries: Delivery[] = [];

  /** A process that begins with what the journal holds. */
  start(change: Partial<DeliveryParts> = {}): Delivery {
    const { time, store, sinks, telemetry } = this;
    const refused = <T>(write: () => T): T => {
      if (this.journalDown) throw new RetryableError('store_unavailable', 'disk full');
      return write();
    };
    const journal: SignalJournal = {
      pending: () => store.journal.pending(),
      entries: (limit) => store.journal.entries(limit),
      of: (id) => store.journal.of(id),
      append: (signals) => refused(() => store.journal.append(signals)),
      mark: (id, sink, mark) => refused(() => store.journal.mark(id, sink, mark)),
      durable: () => store.journal.durable(),
    };
    const delivery = new Delivery({
      journal,
      sinks,
      telemetry,
      now: () => time.now,
      monotonicMs: () => time.now - DECIDED_AT,
      isCurrent: () => this.current(),
      isStandby: () => this.standby,
      escalate: async (notice) => {
        await this.channel();
        this.told.push(notice);
      },
      schedule: time.schedule,
      random: () => 0,
      ...change,
    });
    this.#deliveries.push(delivery);
    delivery.resume();
    return delivery;
  }

  /** Journals a signal and hands it to a delivery; without one it waits for the next start. */
  decide(delivery: Delivery | null, change: Partial<Signal> = {}): Signal {
    const signal = sampleSignal(change);
    this.store.journal.append([{ signal, decidedAt: DECIDED_AT }]);
    delivery?.submit(this.store.journal.of(signal.id));
    return signal;
  }

  entry(sink = 'deploy'): JournalEntry | undefined {
    return this.store.journal.entries(100).find((one) => one.sink === sink);
  }

  /** Lets time pass, with all that is due in it, up to `ms` after the decision. */
  async passUntil(ms: number): Promise<void> {
    await settle();
    while ((this.time.nextAt ?? Number.POSITIVE_INFINITY) <= DECIDED_AT + ms) {
      await this.time.next();
      await settle();
    }
    this.time.now = DECIDED_AT + ms;
  }

  async until(state: JournalEntry['state']): Promise<void> {
    await until(() => this.entry()?.state === state);
    await settle();
  }

  topics(): string[] {
    return this.told.map(({ topic }) => topic);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#deliveries.map((delivery) => delivery.stop()));
  }
}

/** Whatever needs no time has happened. */
async function settle(): Promise<void> {
  let turns = 0;
  await until(() => turns++ >= 8);
}
