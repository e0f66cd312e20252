/** The deploy gate behind the API in memory: the service's own handlers over facts that a test sets, on a clock that stands still. */
import type { GateHandlers, OverrideWish } from '../../src/api/gate-handlers.ts';
import { gate } from '../../src/decide/gate.ts';
import type { GateFacts } from '../../src/decide/gate-facts.ts';
import { GateBook } from '../../src/engine/gate-book.ts';
import type { GateView, LoadTestResult } from '../../src/model/gate-view.ts';
import { gateHandlers } from '../../src/service/gate-handlers.ts';
import { counted, NOW as FACTS_AT, facts } from '../decide/gate-facts.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { MemoryControls } from './memory-controls.ts';

export class MemoryGate extends MemoryControls implements GateHandlers {
  /** What is known of every service but `nobody`. */
  gateFacts: GateFacts = facts();
  readonly gateLog = new MemoryTelemetry();
  readonly gateBook = new GateBook();
  readonly #handlers = gateHandlers({
    engine: { views: { gate: (service, now) => this.#view(service, now) }, gateBook: this.gateBook },
    telemetry: this.gateLog,
    clock: { now: () => FACTS_AT },
    checkpoint: () => this.isKept,
    isDurable: () => this.isKept,
  });

  gate(service: string) {
    return this.#handlers.gate(service);
  }

  overrideGate(wish: OverrideWish) {
    return this.#handlers.overrideGate(wish);
  }

  endGateOverride(service: string, by: string) {
    return this.#handlers.endGateOverride(service, by);
  }

  gateOverrides() {
    return this.#handlers.gateOverrides();
  }

  addLoadTest(result: LoadTestResult) {
    return this.#handlers.addLoadTest(result);
  }

  #view(service: string, now: number): GateView {
    const override = this.gateBook.overrideOf(service, now);
    const loadTest = this.gateBook.loadTestsOf(service)[0] ?? null;
    const unheard = { objectives: [], telemetry: { ...this.gateFacts.telemetry, newestAt: null } };
    const known = service === 'nobody' ? { ...this.gateFacts, ...unheard } : this.gateFacts;
    return { service, now, override, ...gate({ ...known, service, now, override, loadTest }) };
  }
}

/** The budget is overspent: -12 %, 56 bad of 50 allowed. */
export const SPENT: GateFacts = facts({ objectives: [counted(56, 50_000)] });
/** It is nearly: 20 %, 40 bad of 50 allowed. */
export const SHORT: GateFacts = facts({ objectives: [counted(40, 50_000)] });
