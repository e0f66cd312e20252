/** What OpenSLO has no field for, under our own prefix: an export writes it and an import reads it; other tools pass it over. */
import type { OpenSloMetadata } from './schema.ts';

const PREFIX = 'slipstream.dev/';

export const ANNOTATION = {
  /** On a Service: `service.name` of its spans, where that is no name for an object. */
  service: `${PREFIX}service`,
  /** On an SLO: name of the objective among those of its service and endpoint. */
  objective: `${PREFIX}objective`,
  /** On an SLO: `errorRate`, where the ratio is said as the share that fails. */
  sli: `${PREFIX}sli`,
  /** On an SLO: which definition of burn counts, and the floor of bad events. */
  alertBasis: `${PREFIX}alert-basis`,
  minBad: `${PREFIX}alert-min-bad`,
  /** On an SLO: `none` where no tier alerts. */
  alerts: `${PREFIX}alerts`,
  /** On an AlertPolicy: what a single lookback window and a rounded threshold cannot say. */
  shortWindow: `${PREFIX}short-window`,
  budget: `${PREFIX}budget`,
} as const;

export function annotationOf(metadata: OpenSloMetadata | undefined, key: string): string | undefined {
  return metadata?.annotations?.[key];
}
