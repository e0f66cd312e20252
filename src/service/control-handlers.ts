/** Answers what the API asks for operators; what they forbid is durable and logged before it is answered. */
import type { BreakerReport, ControlHandlers, HoldEntry } from '../api/control-handlers.ts';
import { inForce } from '../engine/override-trail.ts';
import type { Engine } from '../engine.ts';
import type { ControlOverrideRecord } from '../model/control-view.ts';
import type { EpochMs } from '../model/time.ts';
import { NOT_DURABLE } from './not-durable.ts';
import { OVERRIDES_FULL, type OverrideParts } from './override-parts.ts';

export interface ControlHandlerParts extends OverrideParts {
  readonly engine: Pick<Engine, 'controls'> & { readonly views: Pick<Engine['views'], 'breaker'> };
}

/** An override is in force at once, whether or not the store takes it: a caller who is told to send it again has stopped rollbacks already. */
export function controlHandlers(parts: ControlHandlerParts): ControlHandlers {
  const { engine, telemetry, clock } = parts;
  const { controls } = engine;
  const { book } = controls;
  const report = (now: EpochMs): BreakerReport => ({ now, ...engine.views.breaker(now) });
  return {
    holdBack({ service, rollout, mode, by, reason, forMs }) {
      const now = clock.now();
      const override = { service, rollout, mode, by, reason, at: now, until: forMs === null ? null : now + forMs };
      if (!book.override(override)) return OVERRIDES_FULL;
      const isKept = parts.checkpoint();
      telemetry.log.warn({ ...override, at: isoTime(now), until: isoTime(override.until), isKept }, 'an operator holds signals back');
      return isKept ? { outcome: 'in_force', override: entryOf({ ...override, endedAt: null, endedBy: null }, now) } : NOT_DURABLE;
    },
    endHold(scope, by) {
      const now = clock.now();
      const ended = book.endOverride(scope, by, now);
      // Asked again because the store refused, there is nothing to end any more, but it is not durable until now.
      if (ended === null) return parts.isDurable() || parts.checkpoint() ? { outcome: 'none' } : NOT_DURABLE;
      const isKept = parts.checkpoint();
      const { service, rollout, mode, reason } = ended;
      telemetry.log.warn({ service, rollout, mode, by, givenBy: ended.by, reason, isKept }, 'an override of signals was ended');
      return isKept ? { outcome: 'ended', override: entryOf(ended, now) } : NOT_DURABLE;
    },
    holds() {
      const now = clock.now();
      return { now, killSwitchSince: book.switchedAt, overrides: book.overrides().map((record) => entryOf(record, now)) };
    },
    breaker: () => report(clock.now()),
    resetBreaker(by, reason) {
      const now = clock.now();
      const { rollbacksLastHour, commonCause } = engine.views.breaker(now);
      controls.resetBreaker({ by, reason, at: now });
      const isKept = parts.checkpoint();
      telemetry.log.warn({ by, reason, rollbacksLastHour, hadCommonCause: commonCause !== null, isKept }, 'the breaker was reset');
      return isKept ? { outcome: 'reset', breaker: report(now) } : NOT_DURABLE;
    },
  };
}

function isoTime(at: EpochMs | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function entryOf(record: ControlOverrideRecord, now: EpochMs): HoldEntry {
  return { ...record, isInForce: inForce(record, now) };
}
