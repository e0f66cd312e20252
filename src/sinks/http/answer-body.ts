/** Reads what comes after the head of an answer: little of it, not for long, and nothing that must not be seen. */
import type { Readable } from 'node:stream';
import { visible } from '../../model/safe-text.ts';
import type { DurationMs } from '../../model/time.ts';

/** More than this is not read: the connection is given up. */
const MAX_BYTES = 16_384;
/** The status has told the outcome: reading on only keeps the connection for the next request. */
const MAX_WAIT_MS: DurationMs = 1_000;
const MAX_TEXT_CHARS = 1_024;

export interface AnswerText {
  /** What the other side might give back and nobody is to see. */
  readonly secrets: readonly string[];
}

/** The beginning of the text, or '' with `keep` null. Never throws: nothing that happens to a body changes what its status said. */
export async function readAnswer(body: Readable, keep: AnswerText | null): Promise<string> {
  const chunks: Buffer[] = [];
  const patience = setTimeout(() => body.destroy(), MAX_WAIT_MS);
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += (chunk as Buffer).length;
      if (keep !== null) chunks.push(chunk as Buffer);
      if (bytes > MAX_BYTES) break;
    }
  } catch {
    // Timed out, stopped or broken off.
  } finally {
    clearTimeout(patience);
  }
  return keep === null ? '' : shownText(Buffer.concat(chunks), bytes > MAX_BYTES, keep.secrets);
}

function shownText(bytes: Buffer, isCut: boolean, secrets: readonly string[]): string {
  const longestFirst = secrets.filter((secret) => secret !== '').sort((a, b) => b.length - a.length);
  let text = bytes.toString('utf8');
  // A secret that the cut went through would not be found.
  if (isCut) text = text.slice(0, -Math.max(1, longestFirst[0]?.length ?? 0));
  for (const secret of longestFirst) text = text.replaceAll(secret, '[redacted]');
  return visible(text).slice(0, MAX_TEXT_CHARS);
}
