/** The one table of log lines at `info` and above, by their constant message; `debug` is for those who read the code. */
import { DECISION_LINES } from './decision-lines.ts';
import { DELIVERY_LINES } from './delivery-lines.ts';
import { INPUT_LINES } from './input-lines.ts';
import type { LineLevel } from './log-line.ts';
import { MEMBER_LINES } from './member-lines.ts';
import { PROCESS_LINES } from './process-lines.ts';
import { TLS_LINES } from './tls-lines.ts';

export const LOG_LINES = { ...PROCESS_LINES, ...INPUT_LINES, ...DECISION_LINES, ...DELIVERY_LINES, ...MEMBER_LINES, ...TLS_LINES } as const;

type Lines = typeof LOG_LINES;

/** The messages of a level. */
export type LogMessage<Level extends LineLevel> = { [M in keyof Lines]: Lines[M]['level'] extends Level ? M : never }[keyof Lines];

/** In the order in which the documentation has them. */
export const LOG_GROUPS = {
  'The process': PROCESS_LINES,
  'Spans on their way in': INPUT_LINES,
  Judging: DECISION_LINES,
  'Signals on their way out': DELIVERY_LINES,
  'Members on Kafka': MEMBER_LINES,
  'TLS and tokens': TLS_LINES,
} as const;
