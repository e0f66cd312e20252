/** Answers what the API asks of the deploy gate; what people tell it is durable and logged before it is answered. */
import type { GateHandlers, OverrideEntry } from '../api/gate-handlers.ts';
import type { Engine } from '../engine.ts';
import type { GateOverrideRecord } from '../model/gate-view.ts';
import type { EpochMs } from '../model/time.ts';
import { NOT_DURABLE } from './not-durable.ts';
import { OVERRIDES_FULL, type OverrideParts } from './override-parts.ts';

export interface GateHandlerParts extends OverrideParts {
  readonly engine: Pick<Engine, 'gateBook'> & { readonly views: Pick<Engine['views'], 'gate'> };
}

export function gateHandlers(parts: GateHandlerParts): GateHandlers {
  const { engine, telemetry, clock } = parts;
  const book = engine.gateBook;
  return {
    gate: (service) => engine.views.gate(service, clock.now()),
    overrideGate({ service, by, reason, forMs }) {
      const now = clock.now();
      const override = { service, by, reason, at: now, until: now + forMs };
      if (!book.override(override)) return OVERRIDES_FULL;
      const isKept = parts.checkpoint();
      telemetry.log.warn({ service, by, reason, until: new Date(override.until).toISOString(), isKept }, 'the deploy gate is overridden');
      return isKept ? { outcome: 'in_force', override: entryOf({ ...override, endedAt: null, endedBy: null }, now) } : NOT_DURABLE;
    },
    endGateOverride(service, by) {
      const now = clock.now();
      const ended = book.endOverride(service, by, now);
      // Asked again because the store refused, there is nothing to end any more, but it is not durable until now.
      if (ended === null) return parts.isDurable() || parts.checkpoint() ? { outcome: 'none' } : NOT_DURABLE;
      const isKept = parts.checkpoint();
      telemetry.log.warn({ service, by, givenBy: ended.by, reason: ended.reason, isKept }, 'an override of the deploy gate was ended');
      return isKept ? { outcome: 'ended', override: entryOf(ended, now) } : NOT_DURABLE;
    },
    gateOverrides() {
      const now = clock.now();
      return { now, overrides: book.overrides().map((record) => entryOf(record, now)) };
    },
    addLoadTest(result) {
      book.addLoadTest(result);
      const { service, candidate, outcome, summary, at } = result;
      const isKept = parts.checkpoint();
      telemetry.log.info(
        { service, candidate, outcome, summary, at: new Date(at).toISOString(), isKept },
        'the deploy gate was told of a load test',
      );
      return isKept ? { outcome: 'kept' } : NOT_DURABLE;
    },
  };
}

function entryOf(record: GateOverrideRecord, now: EpochMs): OverrideEntry {
  return { ...record, isInForce: record.endedAt === null && now < record.until };
}
