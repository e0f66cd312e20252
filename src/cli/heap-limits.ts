/** Sets V8 up for a process through which far more bytes flow than it keeps. */
import { setFlagsFromString } from 'node:v8';

/** That of Node 26. An older one may not know the flag and would say so on stderr. */
const TRIED_V8 = 14;

/**
 * Each read of a socket is a new buffer of 64 kB outside V8's heap. By default V8 marks the whole heap for every 32 MB of them, 25 times a
 * second at 400 MB/s and 30 to 50 % of the CPU; with this flag they count towards the limits of the heap, which follow what survives.
 * Given here rather than on the command line, so that every way of starting has it.
 */
export function countBuffersInHeapLimits(): void {
  if (Number.parseInt(process.versions.v8, 10) >= TRIED_V8) setFlagsFromString('--external-memory-accounted-in-global-limit');
}
