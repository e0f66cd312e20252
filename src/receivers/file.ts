/** Reads recorded spans from a file or standard input and hands them over request by request, telling where something is wrong. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PermanentError } from '../model/errors.ts';
import type { ConsumeOutcome, SpanEncoding } from './receiver.ts';
import { type RecordPosition, spanRecords } from './span-records.ts';

const PROGRESS_STEP_BYTES = 1024 * 1024;

export interface SpanFileProblem extends RecordPosition {
  readonly file: string;
  readonly message: string;
}

export interface SpanFileProgress {
  /** As stored, so compressed where the file is. */
  readonly bytesRead: number;
  /** null when the length is not known: standard input, pipes. */
  readonly totalBytes: number | null;
}

export interface SpanFileSummary {
  /** Requests handed over and accepted. */
  readonly requests: number;
  readonly problems: number;
  readonly bytesRead: number;
}

export interface SpanFileOptions {
  /** `-` is standard input. */
  readonly path: string;
  /** Read instead of what `path` names. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Longer lines and records are problems. */
  readonly maxRequestBytes: number;
  /** Awaited before more is read. A request it does not accept is a problem. */
  readonly onRequest: (encoding: SpanEncoding, bytes: Uint8Array) => ConsumeOutcome | Promise<ConsumeOutcome>;
  readonly onProblem: (problem: SpanFileProblem) => void;
  /** Called about every MiB and at the end. */
  readonly onProgress?: (progress: SpanFileProgress) => void;
}

/**
 * Reads to the end. After a bad line or a record that cannot be decoded it goes on with the next; a broken frame or broken compression of
 * the whole file ends reading, as a problem. Throws PermanentError only when the file itself cannot be read.
 */
export async function readSpanFile({
  path,
  input,
  maxRequestBytes,
  onRequest,
  onProblem,
  onProgress,
}: SpanFileOptions): Promise<SpanFileSummary> {
  const file = path === '-' ? '(standard input)' : path;
  let requests = 0;
  let problems = 0;
  let bytesRead = 0;
  let shownBytes = 0;
  const report = (at: RecordPosition, message: string): void => {
    problems++;
    onProblem({ file, ...at, message });
  };
  try {
    const totalBytes = input !== undefined || path === '-' ? null : await lengthOf(path);
    const source = input ?? (path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 256 * 1024 }));
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of source) {
        bytesRead += chunk.length;
        yield chunk;
        if (bytesRead - shownBytes < PROGRESS_STEP_BYTES) continue;
        shownBytes = bytesRead;
        onProgress?.({ bytesRead, totalBytes });
      }
    };
    for await (const record of spanRecords(counted(), maxRequestBytes)) {
      if (record.kind === 'problem') {
        report(record.at, record.message);
        continue;
      }
      const outcome = await onRequest(record.encoding, record.bytes);
      if (outcome.kind === 'accepted') requests++;
      else report(record.at, outcome.message);
    }
    onProgress?.({ bytesRead, totalBytes });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new PermanentError(code, `reading spans from ${file}`, { cause });
  }
  return { requests, problems, bytesRead };
}

/** `spans.jsonl:12: …` or `spans.bin at byte 4096: …`. */
export function spanFileProblemText({ file, line, byteOffset, message }: SpanFileProblem): string {
  return line === null ? `${file} at byte ${byteOffset}: ${message}` : `${file}:${line}: ${message}`;
}

async function lengthOf(path: string): Promise<number | null> {
  const found = await stat(path);
  return found.isFile() ? found.size : null;
}
