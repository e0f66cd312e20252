/** What operators and the deploy gate ask of a member of several: of one service, or of every cell there is. */
import type { BreakerReport, ControlHandlers } from '../../api/control-handlers.ts';
import type { GateHandlers } from '../../api/gate-handlers.ts';
import type { Unavailable } from '../../api/unavailable.ts';
import { RetryableError } from '../../model/errors.ts';
import type { CommonCausePolicy } from '../../model/policy.ts';
import type { Clock } from '../clock.ts';
import { NOT_DURABLE } from '../not-durable.ts';
import { ELSEWHERE, kept } from './kept.ts';
import { mergedBreakers, mergedHolds } from './merge-answers.ts';
import type { RoutedCell } from './routed-cell.ts';

export interface ControlParts {
  /** The cells that are ready now, by partition; looked at for each request. */
  cells(): ReadonlyMap<number, RoutedCell>;
  /** The breaker over all members. */
  readonly permits: { rollbacksLastHour(): number; reset(by: string): Promise<void> };
  limits(): { readonly maxRollbacksPerHour: number; readonly commonCause: CommonCausePolicy };
  readonly clock: Clock;
}

export interface CellFinder {
  cellOf(service: string): RoutedCell | null;
  /** Throws a RetryableError when it is not here. */
  neededCell(service: string): RoutedCell;
}

function isUnavailable(answer: Answer): answer is Unavailable {
  return answer.outcome === 'unavailable';
}

type Answer = { readonly outcome: string };

export function routedControls(parts: ControlParts, { cellOf, neededCell }: CellFinder): ControlHandlers & GateHandlers {
  const { cells, clock, permits } = parts;
  const now = () => clock.now();

  /** Of one cell, once it is durable. */
  async function ofCell<T extends Answer>(service: string, act: (cell: RoutedCell) => T | Promise<T>): Promise<T | Unavailable> {
    const cell = cellOf(service);
    if (cell === null) return ELSEWHERE;
    const answer = await act(cell);
    return answer.outcome === 'unavailable' || (await kept(cell)) ? answer : NOT_DURABLE;
  }

  /** Of every cell: none is left out because another refused. */
  async function ofEach<T extends Answer>(
    act: (cell: RoutedCell) => T | Unavailable | Promise<T | Unavailable>,
  ): Promise<readonly T[] | Unavailable> {
    const all = [...cells().values()];
    const done: T[] = [];
    let refused: Unavailable | null = null;
    for (const answer of await Promise.all(all.map(async (cell) => act(cell)))) {
      if (isUnavailable(answer)) refused = answer;
      else done.push(answer);
    }
    if (refused !== null) return refused;
    const isKept = await Promise.all(all.map(kept));
    return isKept.every(Boolean) ? done : NOT_DURABLE;
  }

  const breaker = async (): Promise<BreakerReport> => {
    const { maxRollbacksPerHour, commonCause: commonCausePolicy } = parts.limits();
    const none = { now: now(), coolDowns: [], commonCause: null, commonCausePolicy, resets: [] };
    const rollbacksLastHour = permits.rollbacksLastHour();
    const isOpen = rollbacksLastHour >= maxRollbacksPerHour;
    const own = await Promise.all([...cells().values()].map(({ handlers }) => handlers.breaker()));
    return mergedBreakers([{ ...none, rollbacksLastHour, maxRollbacksPerHour, isOpen }, ...own]);
  };

  return {
    async holdBack(wish) {
      if (wish.service !== null) return ofCell(wish.service, ({ handlers }) => handlers.holdBack(wish));
      const answers = await ofEach(({ handlers }) => handlers.holdBack(wish));
      if ('outcome' in answers) return answers;
      const inForce = answers.find((answer) => answer.outcome === 'in_force');
      if (inForce !== undefined) return inForce;
      // Nothing is here that it could hold back; other members are asked as well.
      const { service, rollout, mode, by, reason, forMs } = wish;
      const until = forMs === null ? null : now() + forMs;
      const override = { service, rollout, mode, by, reason, at: now(), until, endedAt: null, endedBy: null, isInForce: true };
      return { outcome: 'in_force', override };
    },
    async endHold(scope, by) {
      if (scope.service !== null) return ofCell(scope.service, ({ handlers }) => handlers.endHold(scope, by));
      const answers = await ofEach(({ handlers }) => handlers.endHold(scope, by));
      if ('outcome' in answers) return answers;
      return answers.find((answer) => answer.outcome === 'ended') ?? { outcome: 'none' };
    },
    async holds() {
      const own = await Promise.all([...cells().values()].map(({ handlers }) => handlers.holds()));
      return mergedHolds([{ now: now(), killSwitchSince: null, overrides: [] }, ...own]);
    },
    breaker,
    async resetBreaker(by, reason) {
      try {
        await permits.reset(by);
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        return { outcome: 'unavailable', detail: 'other members could not be told; send the same again', retryAfterMs: 5_000 };
      }
      const answers = await ofEach(({ handlers }) => handlers.resetBreaker(by, reason));
      return 'outcome' in answers ? answers : { outcome: 'reset', breaker: await breaker() };
    },

    gate: (service) => neededCell(service).handlers.gate(service),
    overrideGate: (wish) => ofCell(wish.service, ({ handlers }) => handlers.overrideGate(wish)),
    endGateOverride: (service, by) => ofCell(service, ({ handlers }) => handlers.endGateOverride(service, by)),
    async gateOverrides() {
      const own = await Promise.all([...cells().values()].map(({ handlers }) => handlers.gateOverrides()));
      return { now: now(), overrides: own.flatMap(({ overrides }) => overrides).sort((a, b) => b.at - a.at) };
    },
    addLoadTest: (result) => ofCell(result.service, ({ handlers }) => handlers.addLoadTest(result)),
  };
}
