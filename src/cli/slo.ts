/** `slipstream slo`: objectives and their budgets, as a group of commands. */
import type { AddCommand } from './context.ts';
import { SLO_COMMANDS } from './slo-commands.ts';

export const addSlo: AddCommand = (program, context, act) => {
  const group = program.command('slo').description('objectives: what is left of their budgets, why, and what others would be');
  for (const add of SLO_COMMANDS) add(group, context, act);
};
