/** The kill switch that needs no API: while a file exists, no rollback leaves. */
import { lstatSync } from 'node:fs';
import type { ControlDesk, SignalStanding } from '../engine/control-desk.ts';
import type { Rollouts } from '../engine/rollouts.ts';
import type { PolicyMode } from '../model/policy.ts';
import type { Rollout, Signal } from '../model/rollout.ts';
import type { EpochMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export interface SwitchParts {
  /** Null: there is no such file to look for. */
  readonly path: string | null;
  readonly controls: ControlDesk;
  readonly telemetry: Telemetry;
  now(): EpochMs;
}

export class KillSwitch {
  readonly #parts: SwitchParts;

  /** Looks at once: nothing may be decided or sent before. */
  constructor(parts: SwitchParts) {
    this.#parts = parts;
    this.look();
  }

  /** To be called often: it costs one system call. */
  look(): void {
    this.#look();
    this.#show();
  }

  #look(): void {
    const { path, controls, telemetry, now } = this.#parts;
    const { book } = controls;
    if (path === null) return;
    const seen = entryAt(path);
    const isThrown = seen !== 'absent';
    if (isThrown === (book.switchedAt !== null)) return;
    if (isThrown) {
      book.switchedAt = now();
      telemetry.log.warn({ path, ...(seen !== 'there' && { error: seen.error }) }, 'the kill switch holds all rollbacks');
    } else {
      const since = book.switchedAt;
      book.switchedAt = null;
      telemetry.log.warn({ path, heldMs: since === null ? null : now() - since }, 'the kill switch is gone; rollbacks may leave again');
    }
  }

  /** Whether a signal that is journalled may leave: looks at the file once more. */
  standing(signal: Signal, rollouts: Pick<Rollouts, 'isCurrent'>): SignalStanding {
    this.#look();
    return this.#parts.controls.standing(signal, rollouts, this.#parts.now());
  }

  /** The most that may leave for a rollout now: looks at the file once more. */
  ceiling({ service, id }: Pick<Rollout, 'id' | 'service'>): PolicyMode {
    this.#look();
    const { controls, now } = this.#parts;
    return controls.book.modeOf(service, id, now());
  }

  /** Sets the gauges of what is forbidden now. */
  #show(): void {
    const { controls, telemetry, now } = this.#parts;
    const inForce = controls.book.inForce(now());
    const counts = {
      everything: inForce.filter(({ service, rollout }) => service === null && rollout === null).length,
      service: inForce.filter(({ service }) => service !== null).length,
      rollout: inForce.filter(({ rollout }) => rollout !== null).length,
      kill_switch: controls.book.switchedAt === null ? 0 : 1,
    };
    for (const [scope, count] of Object.entries(counts)) telemetry.set('overrides_in_force', count, { scope });
  }
}

/** Whatever is there counts, a link to nothing too. A place that cannot be looked at counts as there: not to know must not let a rollback out. */
function entryAt(path: string): 'there' | 'absent' | { readonly error: string } {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined ? 'absent' : 'there';
  } catch (error) {
    return isNoFolder(error) ? 'absent' : { error: String(error) };
  }
}

function isNoFolder(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOTDIR';
}
