/** What a log line looks like, and what can never get into one. */
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { createLogger, type LogLevel } from '../../src/telemetry/log.ts';
import type { Logger } from '../../src/telemetry/telemetry.ts';

function logged(level: LogLevel, write: (log: Logger) => void): string[] {
  const lines: string[] = [];
  write(createLogger(level, { write: (line: string) => lines.push(line) }));
  return lines;
}

describe('a log line', () => {
  it('is one JSON object with time, level, message and fields', () => {
    const [line] = logged('info', (log) => log.info({ run: 'r-1', logWealth: 4.5 }, 'verdict'));
    expect(line?.endsWith('\n')).toBe(true);
    const parsed = JSON.parse(line ?? '');
    expect(parsed).toMatchObject({ level: 'info', msg: 'verdict', run: 'r-1', logWealth: 4.5 });
    expect(new Date(parsed.time).toISOString()).toBe(parsed.time);
  });

  it('is written at its level and above only', () => {
    const lines = logged('warn', (log) => {
      log.debug({}, 'a');
      log.info({}, 'stopping');
      log.warn({}, 'signal superseded');
      log.error({}, 'a timed task failed');
    });
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['signal superseded', 'a timed task failed']);
  });

  it.each([
    ['a forged line', 'x\n{"level":"error"}'],
    ['a colour sequence', '\u001b[31mred'],
    ['a C1 control', '\u009b31m'],
    ['text turned around', 'abc\u202edcba\u2066'],
    ['a hidden character', 'a\u200bb\ufeff'],
    ['a line separator', 'a\u2028b'],
  ])('keeps %s in a name inside its string, and readable by a program', (_name, value) => {
    const [line = ''] = logged('info', (log) => log.info({ endpoint: value }, 'verdict'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there.
    expect(line.slice(0, -1)).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*$/);
    expect(JSON.parse(line).endpoint).toBe(value);
  });

  it('shows of an error what it says and where, but nothing else it carries', () => {
    const cause = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
    const error = Object.assign(new Error('delivering signal', { cause }), { code: 'webhook', headers: { authorization: 'canary-4711' } });
    const [line = ''] = logged('info', (log) => log.error({ error }, 'a timed task failed'));
    expect(JSON.parse(line).error).toMatchObject({
      type: 'Error',
      message: 'delivering signal',
      code: 'webhook',
      cause: { message: 'connection refused', code: 'ECONNREFUSED' },
    });
    expect(line).not.toContain('canary-4711');
  });

  it('never shows a secret', () => {
    const [line = ''] = logged('info', (log) => log.info({ sink: { secrets: [new Secret('canary-4711')] } }, 'stopping'));
    expect(line).not.toContain('canary-4711');
    expect(line).toContain('[redacted]');
  });
});
