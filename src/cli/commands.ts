/** The list of commands, in the order of `--help`. */
import { addCompare } from './compare.ts';
import type { AddCommand } from './context.ts';
import { addCoverage } from './coverage.ts';
import { addExplain } from './explain.ts';
import { addGate } from './gate.ts';
import { addHealth } from './health.ts';
import { addOverride } from './override.ts';
import { addPlan } from './plan.ts';
import { addReplay } from './replay.ts';
import { addRollouts } from './rollouts.ts';
import { addSchema } from './schema.ts';
import { addServe } from './serve.ts';
import { addSignals } from './signals.ts';
import { addSlo } from './slo.ts';
import { addStatus } from './status.ts';
import { addValidate } from './validate.ts';
import { addVersion } from './version.ts';
import { addWait } from './wait.ts';

export const COMMANDS: readonly AddCommand[] = [
  addServe,
  addValidate,
  addReplay,
  addCompare,
  addCoverage,
  addGate,
  addWait,
  addRollouts,
  addSignals,
  addOverride,
  addStatus,
  addHealth,
  addExplain,
  addPlan,
  addSlo,
  addSchema,
  addVersion,
];
