/** `slipstream slo`: objectives and their budgets, as a group of commands; by itself it lists them. */
import type { AddCommand } from './context.ts';
import { SLO_COMMANDS } from './slo-commands.ts';

const EXAMPLES = `Examples:
  slipstream slo                                    all objectives, the worst first
  slipstream slo --check || echo breached           exits with 3 when a budget is overspent
  slipstream slo explain checkout:availability      one page: budget, alerts, who spent it
  slipstream slo try checkout "p95 < 300ms"         what it would say, from what is stored
  slipstream slo add checkout "p95 < 300ms, 99.9%"  writes the line of a contract into the SLO file
`;

export const addSlo: AddCommand = (program, context, act) => {
  const group = program
    .command('slo')
    .description('objectives: what is left of their budgets and why; add, try, import and export them')
    .addHelpText('before', EXAMPLES);
  for (const add of SLO_COMMANDS) add(group, context, act);
};
