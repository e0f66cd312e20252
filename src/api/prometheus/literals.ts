/** Numbers, lengths of time and strings as PromQL writes them. */
import type { DurationMs } from '../../model/time.ts';

const UNIT_MS = { y: 365 * 86_400_000, w: 7 * 86_400_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;
const NUMBER = /^(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** Milliseconds; null when `text` is none: units from the largest to the smallest, or seconds as a bare number. */
export function durationLiteral(text: string): DurationMs | null {
  const parts = text === '' ? null : DURATION.exec(text);
  if (parts !== null) return Object.values(UNIT_MS).reduce((sum, unit, i) => sum + Number(parts[i + 1] ?? 0) * unit, 0);
  const seconds = numberLiteral(text);
  return seconds === null || !Number.isFinite(seconds) ? null : seconds * 1000;
}

/** A number, in which a length of time counts in seconds; null when `text` is neither. */
export function numberLiteral(text: string): number | null {
  const bare = text.replace(/^[+-]\s*/, '');
  const sign = text.startsWith('-') ? -1 : 1;
  if (/^(inf|infinity)$/i.test(bare)) return sign * Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(bare)) return Number.NaN;
  if (/^0x[0-9a-f]+$/i.test(bare)) return sign * Number.parseInt(bare, 16);
  if (NUMBER.test(bare)) return sign * Number(bare.replaceAll('_', ''));
  const parts = bare === '' ? null : DURATION.exec(bare);
  return parts === null ? null : (sign * (durationLiteral(bare) ?? Number.NaN)) / 1000;
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ '\\': '\\', "'": "'", '"': '"' },
};

/** The text of a string with its quotes; null when an escape is none of those of Go, which PromQL takes over. */
export function stringLiteral(quoted: string): string | null {
  const text = quoted.slice(1, -1);
  if (quoted.startsWith('`')) return text;
  let isWrong = false;
  const plain = text.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[\s\S]|$)/g, (_, sequence: string) => {
    const one = ESCAPES[sequence];
    if (one !== undefined) return one;
    const code =
      sequence.length < 3
        ? Number.NaN
        : /^[0-7]{3}$/.test(sequence)
          ? Number.parseInt(sequence, 8)
          : Number.parseInt(sequence.slice(1), 16);
    isWrong ||= !(code <= 0x10ffff);
    return isWrong ? '' : String.fromCodePoint(code);
  });
  return isWrong ? null : plain;
}
