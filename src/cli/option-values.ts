/** Reads what options are given: lengths of time and attributes. */
import { InvalidArgumentError } from 'commander';
import { durationMs } from '../api/duration.ts';

const MAX_WAIT_MS = 24 * 3_600_000;

/** At most a day. */
export function waitLength(text: string): number {
  const ms = durationMs(text);
  if (ms === null || ms > MAX_WAIT_MS) throw new InvalidArgumentError('It must be a duration of at most 24h, like 10m.');
  return ms;
}

/** `service.version=1.5.0`, together with those that were given before. */
export function attribute(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || value === '') throw new InvalidArgumentError('It must be an attribute and its value, like service.version=1.5.0.');
  return Object.fromEntries([...Object.entries(before), [name, value]]);
}

/** An empty variable of a script is no name. */
export function nonEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** How often something is shown again. */
export function interval(text: string): number {
  const ms = durationMs(text);
  if (ms === null || ms < 100) throw new InvalidArgumentError('It must be a duration of at least 100ms, like 5s.');
  return ms;
}
