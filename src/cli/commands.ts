/** The list of commands, in the order of `--help`. */
import type { AddCommand } from './context.ts';
import { addStatus } from './status.ts';
import { addVersion } from './version.ts';

export const COMMANDS: readonly AddCommand[] = [addStatus, addVersion];
