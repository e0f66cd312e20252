/** Real streams that keep what is written to them. */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { run } from '../../src/cli/run.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Terminal {
  readonly columns: number;
}

/** Runs the command line as a program would be run; with `terminal` its output is one. */
export async function ran(argv: readonly string[], env: Record<string, string> = {}, terminal?: Terminal, input = ''): Promise<Ran> {
  const stdin = new PassThrough();
  stdin.end(input);
  const stdout = new PassThrough({ highWaterMark: 2 ** 24 });
  const stderr = new PassThrough({ highWaterMark: 2 ** 24 });
  const shown = terminal === undefined ? stdout : Object.assign(stdout, { isTTY: true, columns: terminal.columns });
  const code = await run(argv, env, { stdin, stdout: shown, stderr });
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}
