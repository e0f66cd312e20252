/** People are told of burning budgets, and of deliveries that need a person: the channels of the configuration around the engine's alerts. */
import type { Config } from '../config/config.ts';
import { type NotifierSinkConfig, type SinkConfig, TELLS_PEOPLE } from '../config/sink-config.ts';
import type { Engine } from '../engine.ts';
import type { StoredNote } from '../model/checkpoint.ts';
import type { Notice } from '../model/notice.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import { deliveryNotice } from '../sinks/delivery-notice.ts';
import { burnNotice } from '../sinks/notices/burn-notice.ts';
import { createNotifier } from '../sinks/notices/create-notifier.ts';
import { NoticeBoard } from '../sinks/notices/notice-board.ts';
import { NoticeChannel } from '../sinks/notices/notice-channel.ts';
import type { DecidedSignal } from '../store/journal.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Clock } from './clock.ts';

export interface NoticesParts {
  readonly config: Pick<Config, 'sinks' | 'escalation' | 'api'>;
  readonly engine: Pick<Engine, 'objectives' | 'alerts'>;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** What was saved. */
  readonly notes: readonly StoredNote[];
}

export interface Notices {
  readonly board: NoticeBoard;
  /** To be called about once a second, with the signals that are decided and not journalled. */
  tick(waiting: readonly DecidedSignal[]): void;
}

export function startNotices({ config, engine, telemetry, clock, notes }: NoticesParts): Notices {
  const channels = config.sinks.filter(tellsPeople).map(
    (sink) =>
      new NoticeChannel({
        notifier: createNotifier(sink, clock.now),
        // A dry run tells nobody anything; that it would is in the journal.
        burns: new Set(sink.isDryRun ? [] : sink.burns),
        resendMs: sink.type === 'alertmanager' ? sink.resendMs : null,
        telemetry,
        now: clock.now,
        monotonicMs: () => clock.monotonicMs(),
        random: Math.random,
      }),
  );
  const board = new NoticeBoard(
    channels,
    config.escalation.to.filter((name) => config.sinks.some((sink) => sink.name === name && !sink.isDryRun)),
  );
  board.restore(notes);
  return {
    board,
    tick: (waiting) => {
      if (channels.length === 0) return;
      const firing = [...engine.objectives.all()].flatMap(
        (objective) => burnNotice(objective, engine.alerts.book.view(objective.id), config.api.publicUrl) ?? [],
      );
      board.setFiring(firing, unjournalled(waiting, config.escalation.afterMs, clock.now()));
    },
  };
}

/** A store that refuses keeps every signal back: in so many notices that is clear. */
const MAX_UNJOURNALLED = 20;

/** Delivery knows nothing of them yet. */
function unjournalled(waiting: readonly DecidedSignal[], afterMs: DurationMs, now: EpochMs): readonly Notice[] {
  const told = { sink: 'the journal', state: 'pending', attempts: 0, lastError: 'the store refuses to be written' } as const;
  return waiting
    .filter(({ decidedAt }) => now - decidedAt >= afterMs)
    .slice(0, MAX_UNJOURNALLED)
    .map((decided) => deliveryNotice({ ...decided, ...told }, 'undelivered', now));
}

function tellsPeople(sink: SinkConfig): sink is NotifierSinkConfig {
  return TELLS_PEOPLE.has(sink.type);
}
