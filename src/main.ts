#!/usr/bin/env node
/** The program: everything happens in `cli/run.ts`. */

import type { OutputStream } from './cli/context.ts';
import { countBuffersInHeapLimits } from './cli/heap-limits.ts';
import { run } from './cli/run.ts';

countBuffersInHeapLimits();

// `slipstream status | head` closes the pipe early: that is no failure. A service whose log nobody reads any more stops as it is asked to.
let isUnread = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (process.listenerCount('SIGTERM') === 0) process.exit(0);
  if (!isUnread) process.kill(process.pid, 'SIGTERM');
  isUnread = true;
});

const code = await run(process.argv.slice(2), process.env, process);
// Exits by itself rather than when nothing is left to do: a connection that hangs (an exporter's, say) would keep the process for its timeout.
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
process.exit(code);

/** Where pipes are written in the background (not on Linux), what has not left yet is lost when the process exits. */
function flushed(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}
