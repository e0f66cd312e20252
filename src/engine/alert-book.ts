/** The alerts of all objectives: reads their tiers once a second, keeps states and incidents, tells what changed. */
import { type AlertState, NO_ALERT, nextAlert } from '../evaluate/slo/alert-state.ts';
import type { TelemetryHealth } from '../evaluate/slo/telemetry-health.ts';
import type { StoredNote } from '../model/checkpoint.ts';
import { PermanentError } from '../model/errors.ts';
import type { Objective, Severity } from '../model/objective.ts';
import type { Policies } from '../model/policy.ts';
import type { AlertView, IncidentView, TierReading } from '../model/slo-views.ts';
import type { EpochMs } from '../model/time.ts';
import type { CountsOf } from './counts-of.ts';
import { IncidentBook, type OpenIncident } from './incident-book.ts';
import { TierWatch } from './tier-watch.ts';

/** States and what goes on; and, apart because it is larger and changes seldom, what is over. */
export const ALERTS_NOTE = 'alerts';
export const INCIDENTS_NOTE = 'incidents';

/** Windows end at a whole step of the finest counts, so that they are as long as they say. */
const STEP_MS = 10_000;

export interface AlertChange {
  readonly objective: Objective;
  readonly from: Severity | null;
  readonly to: Severity | null;
  readonly at: EpochMs;
  /** The tier behind `to`; null when nothing fires any more. */
  readonly reading: TierReading | null;
}

interface Watched {
  readonly objective: Objective;
  readonly watch: TierWatch;
  state: AlertState;
  /** Of the last time it was not frozen; null before the first. */
  readings: readonly TierReading[] | null;
}

interface AlertsNote {
  readonly states: readonly (readonly [objective: string, state: AlertState])[];
  readonly open: readonly OpenIncident[];
  /** Up to where open incidents have been told; null: never yet. A state of an earlier version has none. */
  readonly incidentsTo?: EpochMs | null;
}

interface IncidentsNote {
  readonly ended: readonly IncidentView[];
}

export class AlertBook {
  readonly #watched = new Map<string, Watched>();
  readonly #byService = new Map<string, Watched[]>();
  readonly #incidents = new IncidentBook();
  #second = Number.NaN;
  #incidentsTo: EpochMs = Number.NaN;
  #isChanged = false;

  constructor(policies: Policies) {
    this.#watch(policies);
  }

  /**
   * Looks at every objective with tiers. Call about once a second, with the newest event time of the stream or the wall clock; again within the same second
   * does nothing. Windows end with what was heard of the service last: what is still on its way to us is no calm, however short the window. A service whose
   * `health` is not `ok` is frozen: nothing of it is read and no time passes for it.
   */
  advance(counts: CountsOf, at: EpochMs, health: (service: string) => TelemetryHealth): readonly AlertChange[] {
    const second = Math.floor(at / 1000);
    if (second === this.#second || !Number.isFinite(at)) return [];
    this.#second = second;
    const isNewStep = stepAfter(at) !== this.#incidentsTo;
    this.#incidentsTo = stepAfter(at);
    const changes: AlertChange[] = [];
    for (const [service, all] of this.#byService) {
      const { state, heardAt } = health(service);
      const isFrozen = state !== 'ok' || heardAt === null;
      const heard = Math.min(heardAt ?? at, at);
      const now = { at, to: stepAfter(heard), heardAt: heard, isFrozen, isNewStep };
      for (const watched of all) this.#step(watched, counts, now, changes);
    }
    return changes;
  }

  view(objective: string): AlertView {
    const watched = this.#watched.get(objective);
    if (watched === undefined) return { severity: null, since: null, isFrozen: false, tiers: [] };
    const { severity, since, isFrozen } = watched.state;
    return { severity, since, isFrozen, tiers: watched.readings ?? [] };
  }

  /** Newest first, the one that goes on before all others; at most 51. */
  incidents(objective: string): readonly IncidentView[] {
    return this.#incidents.of(objective);
  }

  /** Incidents that were let go because there were too many. */
  get droppedIncidents(): number {
    return this.#incidents.dropped;
  }

  /** Takes new objectives. States and incidents of those that stay are kept, a tier that is gone ends its alert at the next look. */
  reconfigure(policies: Policies): void {
    this.#watch(policies);
    this.#second = Number.NaN;
    this.#isChanged = true;
  }

  /** What changed since the last call. */
  snapshot(): readonly StoredNote[] {
    const notes: StoredNote[] = [];
    const ended = this.#incidents.takeEnded();
    if (ended !== null) notes.push({ key: INCIDENTS_NOTE, json: JSON.stringify({ ended } satisfies IncidentsNote) });
    if (!this.#isChanged) return notes;
    this.#isChanged = false;
    const states = [...this.#watched].flatMap(([id, { state }]): [string, AlertState][] => (state.severity === null ? [] : [[id, state]]));
    const incidentsTo = Number.isFinite(this.#incidentsTo) ? this.#incidentsTo : null;
    notes.push({ key: ALERTS_NOTE, json: JSON.stringify({ states, open: this.#incidents.open, incidentsTo } satisfies AlertsNote) });
    return notes;
  }

  /** Takes back what `snapshot` saved; objectives that are not declared any more are left out. Throws PermanentError when it is not what was written. */
  restore(notes: readonly StoredNote[]): void {
    const alerts = parsed<AlertsNote>(notes, ALERTS_NOTE, ['states', 'open']);
    const incidents = parsed<IncidentsNote>(notes, INCIDENTS_NOTE, ['ended']);
    for (const [id, state] of alerts?.states ?? []) {
      const watched = this.#watched.get(id);
      if (watched !== undefined) watched.state = state;
    }
    this.#incidentsTo = alerts?.incidentsTo ?? Number.NaN;
    this.#incidents.restore(alerts?.open ?? [], incidents?.ended ?? []);
    this.#incidents.retain((id) => this.#watched.has(id));
  }

  #step(
    watched: Watched,
    counts: CountsOf,
    now: { at: EpochMs; to: EpochMs; heardAt: EpochMs; isFrozen: boolean; isNewStep: boolean },
    changes: AlertChange[],
  ): void {
    const { objective, state: before } = watched;
    if (!now.isFrozen || watched.readings === null) watched.readings = watched.watch.read(counts, now.to);
    const { readings } = watched;
    const state = nextAlert(before, readings, { ...now, policy: objective.alerts });
    watched.state = state;
    if (state !== before && (state.severity !== null || before.severity !== null)) this.#isChanged = true;
    if (now.isFrozen) return;
    const { severity } = state;
    if (severity !== before.severity) {
      changes.push({ objective, from: before.severity, to: severity, at: now.at, reading: readingBehind(state, readings) });
    } else if (severity === null || !now.isNewStep) return;
    this.#incidents.note(counts, { objective, severity, readings, at: now.at, to: now.to });
  }

  /** All objectives, also those without tiers: an alert whose tiers were removed must end. */
  #watch(policies: Policies): void {
    const before = new Map(this.#watched);
    this.#watched.clear();
    this.#byService.clear();
    for (const [service, { objectives }] of policies.services) {
      const all = objectives.map((objective): Watched => {
        const known = before.get(objective.id);
        return { objective, watch: new TierWatch(objective), state: known?.state ?? NO_ALERT, readings: null };
      });
      for (const watched of all) this.#watched.set(watched.objective.id, watched);
      if (all.length > 0) this.#byService.set(service, all);
    }
    this.#incidents.retain((id) => this.#watched.has(id));
  }
}

function stepAfter(at: EpochMs): EpochMs {
  return (Math.floor(at / STEP_MS) + 1) * STEP_MS;
}

function readingBehind({ severity, held }: AlertState, readings: readonly TierReading[]): TierReading | null {
  if (severity === null) return null;
  const behind = readings.filter(({ tier }) =>
    held.some(
      (one) => one.severity === severity && one.severity === tier.severity && one.longMs === tier.longMs && one.shortMs === tier.shortMs,
    ),
  );
  return behind.find(({ isFiring }) => isFiring) ?? behind[0] ?? null;
}

/** The note, or null when there is none. */
function parsed<Note>(notes: readonly StoredNote[], key: string, lists: readonly (keyof Note & string)[]): Note | null {
  const note = notes.find((one) => one.key === key);
  if (note === undefined) return null;
  try {
    const read = JSON.parse(note.json) as Partial<Note>;
    for (const list of lists) if (!Array.isArray(read[list])) throw new Error(`${list} is no list`);
    return read as Note;
  } catch (cause) {
    throw new PermanentError('note_corrupt', `reading note ${key}: ${String(cause)}`, { cause });
  }
}
