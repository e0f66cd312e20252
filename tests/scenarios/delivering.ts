/** A live service with real delivery to a real webhook endpoint, in time that only the test moves. */
import type { Notice } from '../../src/model/notice.ts';
import type { DeliveryState } from '../../src/model/rollout.ts';
import type { DurationMs } from '../../src/model/time.ts';
import { Delivery } from '../../src/sinks/delivery.ts';
import { WebhookSink } from '../../src/sinks/webhook-sink.ts';
import type { Store } from '../../src/store/store.ts';
import { until } from '../sinks/manual-time.ts';
import { WEBHOOK_SECRET, webhookConfig } from '../support/sink-configs.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { Live, type ScenarioConfig } from './live.ts';
import { WORLD_START } from './world.ts';

interface Task {
  readonly at: number;
  readonly run: () => void;
}

export class Delivering {
  readonly live: Live;
  readonly receiver: WebhookReceiver;
  /** What people were told. */
  readonly notices: Notice[] = [];
  readonly #tasks = new Set<Task>();
  #delivery: Delivery;

  private constructor(live: Live, receiver: WebhookReceiver) {
    this.live = live;
    this.receiver = receiver;
    this.#delivery = this.#started();
  }

  static async start(config: ScenarioConfig, store?: Store): Promise<Delivering> {
    return new Delivering(new Live(config, store), await WebhookReceiver.listen([WEBHOOK_SECRET]));
  }

  /** The service stops and another one takes up what is journalled. */
  async restart(): Promise<void> {
    await this.#delivery.stop();
    this.#tasks.clear();
    this.live.restart();
    this.#delivery = this.#started();
    this.#delivery.resume();
  }

  async stop(): Promise<void> {
    await this.#delivery.stop();
    await this.receiver.close();
  }

  stateOf(rolloutId: string): DeliveryState | undefined {
    return this.live.store.journal.entries(1000).find(({ signal }) => signal.rolloutId === rolloutId)?.state;
  }

  /** Lets time pass, with what delivery has to do meanwhile, until its signal is in that state. Throws when `withinMs` did not suffice. */
  async becomes(rolloutId: string, state: DeliveryState, withinMs: DurationMs): Promise<void> {
    const end = this.live.now + withinMs;
    for (;;) {
      await this.#quiet();
      if (this.stateOf(rolloutId) === state) return;
      const [next] = [...this.#tasks].sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) throw new Error(`${rolloutId} is ${this.stateOf(rolloutId)}, not ${state}`);
      this.#tasks.delete(next);
      this.live.idle(next.at);
      next.run();
    }
  }

  /** Lets `ms` pass, with what delivery has to do meanwhile. */
  async pass(ms: DurationMs): Promise<void> {
    const end = this.live.now + ms;
    for (;;) {
      await this.#quiet();
      const [next] = [...this.#tasks].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#tasks.delete(next);
      this.live.idle(next.at);
      next.run();
    }
    this.live.idle(end);
  }

  /** Every open delivery waits for its time: nothing is under way. */
  async #quiet(): Promise<void> {
    const open = (): number => this.live.store.journal.pending().filter(({ state }) => state !== 'expired').length;
    await until(() => this.#waiting() >= open());
  }

  /** Waits for the next attempt; alarms, which delivery sets once for each signal, come on top. */
  #waiting(): number {
    return [...this.#tasks].filter((task) => !this.#isAlarm(task)).length;
  }

  #isAlarm({ at }: Task): boolean {
    return this.live.store.journal.pending().some(({ decidedAt }) => at === decidedAt + ALARM_MS);
  }

  #started(): Delivery {
    const { live } = this;
    const delivery = new Delivery({
      journal: live.store.journal,
      sinks: new Map([
        ['deploy-system', new WebhookSink(webhookConfig({ name: 'deploy-system', url: this.receiver.url }), () => live.now)],
      ]),
      telemetry: live.telemetry,
      now: () => live.now,
      monotonicMs: () => live.now - WORLD_START,
      isCurrent: (signal) => live.engine.controls.standing(signal, live.engine.rollouts, live.now),
      escalate: async (notice) => void this.notices.push(notice),
      schedule: (run, waitMs) => {
        const task = { at: live.now + waitMs, run };
        this.#tasks.add(task);
        return () => this.#tasks.delete(task);
      },
      random: () => 0.5,
    });
    live.deliver = (entries) => delivery.submit(entries);
    return delivery;
  }
}

const ALARM_MS = 60_000;
