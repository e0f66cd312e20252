/** What operators forbid, behind the API in memory: the service's own handlers on a clock that stands still. */
import type { ControlHandlers, HoldWish } from '../../src/api/control-handlers.ts';
import { ControlDesk } from '../../src/engine/control-desk.ts';
import type { OverrideScope } from '../../src/model/control-view.ts';
import { controlHandlers } from '../../src/service/control-handlers.ts';
import { NOW } from '../decide/gate-facts.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { policies } from '../support/policies.ts';

export class MemoryControls implements ControlHandlers {
  /** False: the store refuses. */
  isKept = true;
  readonly controls = new ControlDesk();
  readonly controlLog = new MemoryTelemetry();
  readonly #control = controlHandlers({
    engine: { controls: this.controls, views: { breaker: (now) => this.controls.breaker(now, policies({})) } },
    telemetry: this.controlLog,
    clock: { now: () => NOW },
    checkpoint: () => this.isKept,
    isDurable: () => this.isKept,
  });

  holdBack(wish: HoldWish) {
    return this.#control.holdBack(wish);
  }

  endHold(scope: OverrideScope, by: string) {
    return this.#control.endHold(scope, by);
  }

  holds() {
    return this.#control.holds();
  }

  breaker() {
    return this.#control.breaker();
  }

  resetBreaker(by: string, reason: string) {
    return this.#control.resetBreaker(by, reason);
  }
}
