/** What a timer calls. */
import type { Telemetry } from '../telemetry/telemetry.ts';

/** A timer must outlive what it calls. */
export function guarded(telemetry: Telemetry, act: () => void): void {
  try {
    act();
  } catch (error) {
    telemetry.log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'a timed task failed');
  }
}
