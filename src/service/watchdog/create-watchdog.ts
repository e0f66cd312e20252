/** The watchdog of a process, by what the process does of the whole. */
import type { Config } from '../../config/config.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Clock } from '../clock.ts';
import type { WatchdogCheck } from './finding.ts';
import { Heartbeat } from './heartbeat.ts';
import { type ProbedReceivers, receiverChecks } from './receiver-check.ts';
import { storyCheck } from './story-check.ts';
import { type StoryRole, storyStages } from './story-stages.ts';
import { Watchdog } from './watchdog.ts';

export interface WatchdogOptions {
  readonly config: Pick<Config, 'watchdog' | 'histogram' | 'receivers' | 'api'>;
  readonly role: StoryRole;
  readonly receivers: ProbedReceivers;
  /** Of the parts at work. */
  readonly checks: readonly WatchdogCheck[];
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Null: the process has no other beside it. */
  readonly member: string | null;
}

/** Null: it is switched off. */
export function createWatchdog({ config, role, receivers, checks, telemetry, clock, member }: WatchdogOptions): Watchdog | null {
  if (config.watchdog === null) return null;
  const { intervalMs, heartbeatUrl } = config.watchdog;
  const { publicUrl } = config.api;
  return new Watchdog({
    checks: [
      storyCheck({ stages: () => storyStages(config, role), clock, publicUrl }),
      ...receiverChecks(receivers, config.receivers.tls),
      ...checks,
    ],
    intervalMs,
    heartbeat: heartbeatUrl === null ? null : new Heartbeat(heartbeatUrl, clock),
    telemetry,
    clock,
    member,
  });
}
