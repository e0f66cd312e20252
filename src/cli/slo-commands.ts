/** What `slipstream slo` can do, in the order of `--help`. */
import type { AddCommand } from './context.ts';
import { addSloAdd } from './slo-add.ts';
import { addSloExplain } from './slo-explain.ts';
import { addSloExport } from './slo-export.ts';
import { addSloImport } from './slo-import.ts';
import { addSloList } from './slo-list.ts';
import { addSloTry } from './slo-try.ts';

/** Each adds itself to the group. */
export const SLO_COMMANDS: readonly AddCommand[] = [addSloList, addSloExplain, addSloTry, addSloAdd, addSloImport, addSloExport];
