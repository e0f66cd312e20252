/** A telemetry that remembers its log lines and nothing else. */
import { createLogger } from '../../src/telemetry/log.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';

export function rememberingTelemetry(): { telemetry: Telemetry; lines: string[] } {
  const lines: string[] = [];
  const log = createLogger('debug', { write: (line: string) => lines.push(line) });
  const ignore = (): void => {};
  return { telemetry: { log, add: ignore, set: ignore, unset: ignore, observe: ignore, decided: ignore }, lines };
}
