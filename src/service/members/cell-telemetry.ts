/** What one of several cells says of itself: their gauges sum up, and go with the cell. */
import type { RunningTelemetry } from '../../telemetry/create-telemetry.ts';

export class CellGauges {
  readonly telemetry: RunningTelemetry;

  constructor(telemetry: RunningTelemetry) {
    this.telemetry = telemetry;
  }
}

export interface CellTelemetry extends RunningTelemetry {
  /** Takes all gauges of the cell away; what it still sets afterwards is ignored. */
  drop(): void;
}

/** `isOurs` tells the services that the cell has: gauges of others are ignored, since every cell knows the objectives of all. */
export function cellTelemetry(gauges: CellGauges, _cell: string, _isOurs: (service: string) => boolean): CellTelemetry {
  return { ...gauges.telemetry, drop: () => undefined };
}
