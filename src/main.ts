#!/usr/bin/env node
/** The program: everything happens in `cli/run.ts`. */

import type { OutputStream } from './cli/context.ts';
import { countBuffersInHeapLimits } from './cli/heap-limits.ts';

countBuffersInHeapLimits();

/** Their exit code is an answer that pipelines act upon: whatever goes wrong, even in loading the program, must not read as one of the others. */
const ANSWERS_BY_CODE: ReadonlySet<string | undefined> = new Set(['gate', 'compare']);
const NO_ANSWER = 3;
const answersByCode = ANSWERS_BY_CODE.has(process.argv[2]);

if (answersByCode) {
  process.on('uncaughtException', (error) => {
    process.stderr.write(`slipstream: ${error.stack ?? error.message}\n`, () => process.exit(NO_ANSWER));
  });
}

// `slipstream status | head` closes the pipe early: that is no failure. A service whose log nobody reads any more stops as it is asked to.
let isUnread = false;
let isLost = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (answersByCode) {
    isLost ||= error.code !== 'EPIPE';
    return;
  }
  if (error.code !== 'EPIPE') throw error;
  if (process.listenerCount('SIGTERM') === 0) process.exit(0);
  if (!isUnread) process.kill(process.pid, 'SIGTERM');
  isUnread = true;
});

const { run } = await import('./cli/run.ts');
const code = await run(process.argv.slice(2), process.env, process);
// Exits by itself rather than when nothing is left to do: a connection that hangs (an exporter's, say) would keep the process for its timeout.
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
process.exit(isLost ? NO_ANSWER : code);

/** Where pipes are written in the background (not on Linux), what has not left yet is lost when the process exits. */
function flushed(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}
