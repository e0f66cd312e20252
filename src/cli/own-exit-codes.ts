/** For commands whose exit codes are an answer of their own: a mistake must not read as one of them. */
import type { Command } from 'commander';
import type { ExitCode } from './context.ts';

/** Ends the program with `code`; the cause says why. */
export class ExitWith extends Error {
  readonly code: ExitCode;

  constructor(code: ExitCode, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.code = code;
  }
}

const USAGE_CODES = new WeakMap<Command, ExitCode>();

/** With which code wrong usage exits when `argv` means one of the commands but was not understood as far as that, or else `usual`. */
export function usageCodeFor(argv: readonly string[], commands: readonly Command[], usual: ExitCode): ExitCode {
  for (const word of argv) {
    const meant = commands.find((command) => command.name() === word);
    if (meant !== undefined) return USAGE_CODES.get(meant) ?? usual;
  }
  return usual;
}

/** Wrong usage of `command` exits with `code` instead of 2. */
export function withUsageCode(command: Command, code: ExitCode): Command {
  USAGE_CODES.set(command, code);
  return command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new ExitWith(code, error);
  });
}

/** `action`, of which everything that it throws exits with `code` instead of 1. */
export function failingWith<Given extends unknown[]>(
  code: ExitCode,
  action: (...given: Given) => ExitCode | Promise<ExitCode>,
): (...given: Given) => Promise<ExitCode> {
  return async (...given) => {
    try {
      return await action(...given);
    } catch (error) {
      throw error instanceof ExitWith ? error : new ExitWith(code, error);
    }
  };
}
