/** What a command works with: the environment, the streams, and the exit codes it may answer with. */
import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';

/** Documented in `--help`; scripts rely on them. */
export const EXIT = {
  ok: 0,
  /** It could not be done. */
  failed: 1,
  /** It was asked for in a wrong way. */
  usage: 2,
  /** It was done, and the answer is no: an objective is breached, a file or rollout is refused. */
  breached: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Data goes to `stdout`, messages to `stderr`. */
export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly streams: Streams;
}

/** Adds one command to the program. Its action returns the exit code through `act`. */
export type AddCommand = (program: Command, context: CliContext, act: Act) => void;

/** Wraps an action so that what it returns becomes the exit code. */
export type Act = <Arguments extends unknown[]>(
  action: (...given: Arguments) => ExitCode | Promise<ExitCode>,
) => (...given: Arguments) => Promise<void>;
