/** The story as it unfolds: baseline alone, a healthy canary, the turn, and what Slipstream and the deploy system make of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExplainedRunWire, StatusWire } from '../../src/api/schemas.ts';
import type { Tone } from '../../src/cli/terminal-text.ts';
import { reasonText } from '../../src/model/reason-text.ts';
import type { DeployEvent } from './deploy-server.ts';
import { liveTable } from './live-table.ts';
import type { Outcome, Scenario, Timetable } from './scenarios.ts';
import type { Screen } from './screen.ts';
import type { World } from './world.ts';

const LOOK_EVERY_MS = 500;
const MAX_MISSED_LOOKS = 3;

type SignalEvent = Extract<DeployEvent, { kind: 'signal' }>;

/** All that is known at the end. */
export interface StoryEnd extends Outcome {
  readonly run: ExplainedRunWire | null;
  readonly signal: SignalEvent | null;
  readonly firstBadEndpoint: string | null;
  /** Spans sent by the shop between the first bad one and the signal. */
  readonly spansUntilSignal: number;
}

export class Story {
  readonly #world: World;
  readonly #screen: Screen;
  readonly #scenario: Scenario;
  readonly #times: Timetable;
  readonly #startedMs = performance.now();
  #runId: string | null = null;
  #run: ExplainedRunWire | null = null;
  #canaryWeight = 0;
  #hasTurned = false;
  #firstBad: { readonly atMs: number; readonly endpoint: string; readonly spans: number } | null = null;
  #signal: { readonly event: SignalEvent; readonly spans: number; readonly elapsedMs: number } | null = null;
  #lastSaid = '';
  #missedLooks = 0;

  constructor(world: World, screen: Screen, scenario: Scenario, times: Timetable) {
    this.#world = world;
    this.#screen = screen;
    this.#scenario = scenario;
    this.#times = times;
  }

  /** A request of the canary went wrong for the first time. */
  firstBad(atMs: number, endpoint: string): void {
    if (this.#firstBad !== null) return;
    this.#firstBad = { atMs, endpoint, spans: this.#world.spansSent() };
    this.#say(`first bad span: ${endpoint}`, 'warning');
  }

  /** The deploy system did something. */
  deployed(event: DeployEvent): void {
    switch (event.kind) {
      case 'rollout_started':
        this.#canaryWeight = event.canaryWeight;
        return;
      case 'signal_refused':
        this.#say(`deploy system: refused a message (${event.status}): ${event.why}`, 'bad');
        return;
      case 'signal':
        this.#canaryWeight = event.canaryWeight;
        this.#say(
          `deploy system: ${event.signal.action} signal received, signature verified, effect: ${event.effect.replaceAll('_', ' ')}`,
          'strong',
        );
        if (event.effect === 'moved_back') this.#say('deploy system: all traffic goes to the baseline again', 'good');
        if (event.effect === 'promoted') this.#say('deploy system: all traffic goes to the new release', 'good');
        this.#signal ??= { event, spans: this.#world.spansSent(), elapsedMs: this.#elapsedMs() };
        return;
    }
    event satisfies never;
  }

  async tell(): Promise<StoryEnd> {
    this.#world.behave(this.#scenario.canary);
    this.#say('the shop is open; all traffic goes to checkout 1.4.2', 'plain');
    while (!this.#isOver()) {
      await this.#advance();
      await this.#look(false).catch((error: unknown) => this.#overlooked(error));
      await sleep(LOOK_EVERY_MS - (performance.now() % LOOK_EVERY_MS));
    }
    await this.#look(true);
    this.#screen.settle();
    return this.#end();
  }

  async #advance(): Promise<void> {
    const elapsedMs = this.#elapsedMs();
    if (this.#runId === null && elapsedMs >= this.#times.rolloutMs) {
      this.#runId = await this.#world.roll(0.5, this.#scenario.decideWithinMs);
      this.#say('rollout 1 begins: checkout 1.5.0 gets 50 % of the traffic, Slipstream judges', 'strong');
    }
    if (!this.#hasTurned && this.#scenario.turned !== null && elapsedMs >= this.#times.turnMs) {
      await this.#look(true);
      this.#hasTurned = true;
      this.#world.behave(this.#scenario.turned);
      this.#say(`checkout 1.5.0 turns bad: ${this.#scenario.trouble}`, 'bad');
    }
  }

  /** One answer that is late on a busy machine is no end of the story; several in a row are. */
  #overlooked(error: unknown): void {
    this.#missedLooks++;
    if (this.#missedLooks >= MAX_MISSED_LOOKS) throw error;
  }

  /** Asks Slipstream what it sees and shows it. */
  async #look(isForced: boolean): Promise<void> {
    const [status, run] = await Promise.all([this.#world.api.status(), this.#runId === null ? null : this.#world.api.run(this.#runId)]);
    this.#missedLooks = 0;
    this.#run = run;
    if (run !== null) {
      const { decision, reason } = run.verdict;
      const said = `verdict: ${decision} (${reasonText(reason)})`;
      if (said !== this.#lastSaid) {
        this.#lastSaid = said;
        this.#say(said, decision === 'rollback' ? 'bad' : decision === 'promote' ? 'good' : 'plain');
      }
    }
    this.#screen.show({ headline: this.#headline(status), ...liveTable(status, run, this.#screen.width) }, performance.now(), isForced);
  }

  #headline(status: StatusWire): string {
    const checkout = status.services.find(({ service }) => service === 'checkout');
    const parts = [clock(this.#elapsedMs()), `canary gets ${Math.round(this.#canaryWeight * 100)} %`];
    if (this.#run !== null) {
      const { decision, logWealth, logLimit } = this.#run.verdict;
      const part = logWealth === null || logLimit === null ? 0 : Math.max(0, Math.min(1, logWealth / logLimit));
      parts.push(
        `verdict ${decision}`,
        `evidence of harm ${this.#screen.width < BAR_COLUMNS ? '' : `${bar(part)} `}${Math.round(part * 100)} %`,
      );
    }
    if (checkout?.lagMs != null) parts.push(`judged ${(checkout.lagMs / 1000).toFixed(1)} s behind`);
    return parts.join('  ·  ');
  }

  #isOver(): boolean {
    const elapsedMs = this.#elapsedMs();
    return elapsedMs >= this.#times.endMs || (this.#signal !== null && elapsedMs >= this.#signal.elapsedMs + this.#times.afterSignalMs);
  }

  #end(): StoryEnd {
    const signal = this.#signal?.event ?? null;
    return {
      decision: this.#run?.verdict.decision ?? null,
      wasRolledBack: signal?.effect === 'moved_back',
      firstBadAtMs: this.#firstBad?.atMs ?? null,
      signalAtMs: signal?.receivedAtMs ?? null,
      run: this.#run,
      signal,
      firstBadEndpoint: this.#firstBad?.endpoint ?? null,
      spansUntilSignal: this.#signal && this.#firstBad ? this.#signal.spans - this.#firstBad.spans : 0,
    };
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  #say(text: string, tone: Tone): void {
    this.#screen.say(`${this.#screen.paint(clock(this.#elapsedMs()), 'dim')}  ${this.#screen.paint(text, tone)}`);
  }
}

function clock(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

/** On a narrower terminal the figure is more use than its picture. */
const BAR_COLUMNS = 100;

function bar(part: number): string {
  const full = Math.round(part * 20);
  return `${'█'.repeat(full)}${'░'.repeat(20 - full)}`;
}
