/** Reports of progress as records of the delta topic. */
import type { ProgressReport } from '../model/source-progress.ts';
import type { WireError } from './wire-error.ts';

export function encodeProgress(_report: ProgressReport): Uint8Array {
  return new Uint8Array(0);
}

export function readProgress(_bytes: Uint8Array): ProgressReport | WireError {
  return { kind: 'malformed', field: 'kind', offset: 0, message: 'cannot be read yet' };
}
