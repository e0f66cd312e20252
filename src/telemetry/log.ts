/** JSON lines for people and machines: one object a line with `time`, `level`, `msg` and the fields of the call. */
import { pino, stdTimeFunctions } from 'pino';
import type { Logger } from './telemetry.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where lines go: `process.stdout`, a file stream, or anything that takes whole lines. */
export interface LogDestination {
  write(line: string): unknown;
}

/**
 * JSON leaves DEL, the C1 controls and the marks that reorder or hide text as they are, and a name out of a span may carry them to a terminal.
 * Inside JSON they can only occur in strings, where their escape means the same.
 */
const UNSAFE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Writes at `level` and above. Errors under `error` or `err` become type, message, code, stack and cause, and nothing else they carry. */
export function createLogger(level: LogLevel, destination: LogDestination): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describedError, error: describedError },
      hooks: { streamWrite: (line) => line.replace(UNSAFE, escaped) },
    },
    destination,
  );
}

const MAX_CAUSES = 4;

function describedError(value: unknown, depth = 0): unknown {
  if (!(value instanceof Error)) return value;
  const described: Record<string, unknown> = { type: value.name, message: value.message };
  if ('code' in value && (typeof value.code === 'string' || typeof value.code === 'number')) described.code = value.code;
  if (depth === 0 && value.stack !== undefined) described.stack = value.stack;
  if (value.cause instanceof Error && depth < MAX_CAUSES) described.cause = describedError(value.cause, depth + 1);
  return described;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
