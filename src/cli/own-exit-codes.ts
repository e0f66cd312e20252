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

/** Wrong usage of `command` exits with `code` instead of 2. */
export function withUsageCode(command: Command, code: ExitCode): Command {
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
