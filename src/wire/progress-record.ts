/**
 * Reports of progress as records of the delta topic.
 *
 *     kind 0xd2, version 1
 *     member    text
 *     progress  n, then n × (source: text, complete until: double, 1 when closed else 0)
 *     expected  n, then n × text
 *     gaps      n, then n × (source: text, reason: its number in REASONS, flags, from: double when flag 1, to: double when flag 2, text)
 *
 * Numbers but doubles are varints; a double is 8 bytes, little-endian; text is its length in bytes and UTF-8.
 */
import type { ProgressReport, SourceGap, SourceProgress } from '../model/source-progress.ts';
import { readKind, writeKind } from './record-kind.ts';
import { orWireError, RecordReader } from './record-reader.ts';
import { RecordWriter } from './record-writer.ts';
import type { WireError } from './wire-error.ts';

/** Positions are on the wire: new ones go to the end. */
const REASONS = ['retention', 'recreated', 'truncated', 'poison', 'crash'] as const satisfies readonly SourceGap['reason'][];

const HAS_FROM = 1;
const HAS_TO = 2;

export function encodeProgress(report: ProgressReport): Uint8Array {
  const out = new RecordWriter(256);
  writeKind(out, 'progress');
  out.text(report.member);
  out.varint(report.progress.length);
  for (const { source, completeUntilMs, isClosed } of report.progress) {
    out.text(source);
    out.double(completeUntilMs);
    out.byte(isClosed ? 1 : 0);
  }
  out.varint(report.expected.length);
  for (const source of report.expected) out.text(source);
  out.varint(report.gaps.length);
  for (const { source, reason, fromMs, toMs, text } of report.gaps) {
    out.text(source);
    out.varint(REASONS.indexOf(reason));
    out.byte((fromMs === null ? 0 : HAS_FROM) + (toMs === null ? 0 : HAS_TO));
    if (fromMs !== null) out.double(fromMs);
    if (toMs !== null) out.double(toMs);
    out.text(text);
  }
  return out.take();
}

/** Never throws because of `bytes`. */
export function readProgress(bytes: Uint8Array): ProgressReport | WireError {
  return orWireError(() => {
    const from = new RecordReader();
    from.start(bytes);
    readKind(from, 'progress');
    from.field = 'member';
    const member = from.text();
    from.field = 'progress';
    const progress = many(from, 10, () => progressOf(from));
    from.field = 'expected';
    const expected = many(from, 1, () => from.text());
    from.field = 'gaps';
    const gaps = many(from, 4, () => gapOf(from));
    from.finish();
    return { member, progress, expected, gaps };
  });
}

function progressOf(from: RecordReader): SourceProgress {
  const source = from.text();
  return { source, completeUntilMs: from.double(), isClosed: from.varint(1) === 1 };
}

function gapOf(from: RecordReader): SourceGap {
  const source = from.text();
  const reason = REASONS[from.varint(REASONS.length - 1)] as SourceGap['reason'];
  const flags = from.varint(HAS_FROM | HAS_TO);
  const fromMs = (flags & HAS_FROM) === 0 ? null : from.double();
  const toMs = (flags & HAS_TO) === 0 ? null : from.double();
  return { source, reason, fromMs, toMs, text: from.text() };
}

function many<T>(from: RecordReader, atLeastBytes: number, one: () => T): T[] {
  const things: T[] = [];
  for (let left = from.howMany(atLeastBytes); left > 0; left--) things.push(one());
  return things;
}
