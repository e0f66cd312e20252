#!/usr/bin/env node
/** The program: everything happens in `cli/run.ts`. */
import { run } from './cli/run.ts';

// `slipstream status | head` closes the pipe early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2), process.env, process);
