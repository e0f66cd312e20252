/** What `slipstream slo` can do besides listing, in the order of `--help`. */
import type { AddCommand } from './context.ts';

/** Each adds itself to the group. */
export const SLO_COMMANDS: readonly AddCommand[] = [];
