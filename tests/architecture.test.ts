/** Guards the doors: which room may know which, and what the pure rooms may not touch. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Door {
  /** Rooms it may import besides itself. */
  readonly rooms: readonly string[];
  /** Packages and node builtins it may import. */
  readonly packages: readonly string[];
  /** Knows no clock, timer, randomness, network, disk, log, environment or promise. */
  readonly pure: boolean;
}

const PURE = { pure: true } as const;
const SHELL = { pure: false } as const;
const PURE_ROOMS = ['model', 'decode', 'aggregate', 'window', 'evaluate', 'decide', 'wire'];
const ALL_BUT_COMPOSITION = [
  ...PURE_ROOMS,
  ...['ingest', 'engine', 'config', 'telemetry', 'tls', 'receivers', 'sinks', 'store', 'api', 'kubernetes', 'watches', 'kafka'],
];
const ANY_NODE = 'node:*';

/** The table of the README's map. `ingest` and `engine` are the two stages, `service` the composition root. */
const DOORS: Readonly<Record<string, Door>> = {
  model: { ...PURE, rooms: [], packages: [] },
  decode: { ...PURE, rooms: ['model'], packages: [] },
  aggregate: { ...PURE, rooms: ['model'], packages: ['hdr-histogram-js'] },
  window: { ...PURE, rooms: ['model'], packages: ['hdr-histogram-js'] },
  evaluate: { ...PURE, rooms: ['model'], packages: [] },
  decide: { ...PURE, rooms: ['model'], packages: ['node:crypto'] },
  ingest: { ...PURE, rooms: ['model', 'decode', 'aggregate'], packages: [] },
  engine: { ...PURE, rooms: ['model', 'window', 'evaluate', 'decide'], packages: [] },
  config: { ...SHELL, rooms: ['model'], packages: ['zod', 'yaml', 'rrule', ANY_NODE] },
  telemetry: { ...SHELL, rooms: ['model'], packages: ['@opentelemetry/*', 'pino', ANY_NODE] },
  wire: { ...PURE, rooms: ['model'], packages: [] },
  tls: { ...SHELL, rooms: ['model', 'config', 'telemetry'], packages: ['undici', ANY_NODE] },
  receivers: { ...SHELL, rooms: ['model', 'config', 'telemetry', 'tls', 'kafka'], packages: ['@grpc/grpc-js', ANY_NODE] },
  kafka: { ...SHELL, rooms: ['model', 'config', 'telemetry'], packages: ['kafkajs', 'snappy', 'lz4-napi', ANY_NODE] },
  kubernetes: { ...SHELL, rooms: ['model', 'config', 'telemetry'], packages: ['undici', ANY_NODE] },
  watches: { ...SHELL, rooms: ['model', 'config', 'telemetry', 'kubernetes'], packages: [ANY_NODE] },
  sinks: { ...SHELL, rooms: ['model', 'config', 'telemetry', 'store', 'kubernetes'], packages: ['undici', ANY_NODE] },
  store: { ...SHELL, rooms: ['model', 'config', 'telemetry', 'kafka'], packages: [ANY_NODE] },
  api: {
    ...SHELL,
    rooms: ['model', 'config', 'telemetry', 'tls'],
    packages: ['hono', '@hono/*', 'zod', '@prometheus-io/lezer-promql', '@lezer/common', ANY_NODE],
  },
  service: { ...SHELL, rooms: ALL_BUT_COMPOSITION, packages: [ANY_NODE] },
  cli: { ...SHELL, rooms: [...ALL_BUT_COMPOSITION, 'service'], packages: ['commander', 'yaml', ANY_NODE] },
  main: { ...SHELL, rooms: ['cli'], packages: [ANY_NODE] },
};

/** What a pure file must not say. Types and comments are stripped first. */
const IMPURE: readonly [RegExp, string][] = [
  [/\bDate\.now\b|\bnew Date\(\)/, 'a clock'],
  [/\bperformance\b/, 'a clock'],
  [/\bMath\.random\b|\brandomBytes\b|\brandomUUID\b/, 'randomness'],
  [/\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/, 'a timer'],
  [/\bprocess\b/, 'the process'],
  [/\bconsole\b/, 'a log'],
  [/\bfetch\(/, 'the network'],
  [/\basync\b|\bawait\b|\bPromise\b/, 'a promise'],
];

const SRC = join(import.meta.dirname, '../src');

interface SourceFile {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files: SourceFile[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(SRC, path), 'utf8');
    const imports = [...text.matchAll(/^(?:import|export)\s[^;]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm)].map(
      (match) => match[1] ?? match[2] ?? match[3] ?? '',
    );
    return { path, room: roomOf(path), text, imports };
  });

function roomOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, '');
}

function targetOf(file: SourceFile, specifier: string): string {
  return relative(SRC, normalize(join(SRC, dirname(file.path), specifier)));
}

function packageAllowed(specifier: string, allowed: readonly string[]): boolean {
  return allowed.some((entry) => {
    if (entry === ANY_NODE) return specifier.startsWith('node:');
    if (entry.endsWith('/*')) return specifier.startsWith(entry.slice(0, -1));
    return specifier === entry || specifier.startsWith(`${entry}/`);
  });
}

function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|[^:])\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/^import type .*$/gm, '');
}

describe('the house', () => {
  it('has source files to guard', () => {
    expect(files.length).toBeGreaterThan(30);
  });

  it('has no room without a door in the table', () => {
    expect([...new Set(files.map((file) => file.room))].filter((room) => DOORS[room] === undefined)).toEqual([]);
  });

  it('has no connecting doors', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => roomOf(targetOf(file, specifier)))
        .filter((room) => room !== file.room && !DOORS[file.room]?.rooms.includes(room))
        .map((room) => `${file.path} imports ${room}`),
    );
    expect(wrong).toEqual([]);
  });

  it('uses only the packages each room is allowed', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((specifier) => !specifier.startsWith('.') && !packageAllowed(specifier, DOORS[file.room]?.packages ?? []))
        .map((specifier) => `${file.path} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps the world out of the pure rooms', () => {
    const wrong = files
      .filter((file) => DOORS[file.room]?.pure === true)
      .flatMap((file) => {
        const code = withoutComments(file.text);
        return IMPURE.filter(([pattern]) => pattern.test(code)).map(([, what]) => `${file.path} touches ${what}`);
      });
    expect(wrong).toEqual([]);
  });

  it('has no cycles between files', () => {
    const graph = new Map(
      files.map((file) => [file.path, file.imports.filter((s) => s.startsWith('.')).map((s) => targetOf(file, s))] as const),
    );
    const settled = new Set<string>();
    const walk = (path: string, trail: readonly string[]): string[] => {
      if (trail.includes(path)) return [[...trail.slice(trail.indexOf(path)), path].join(' > ')];
      if (settled.has(path)) return [];
      const found = (graph.get(path) ?? []).flatMap((next) => walk(next, [...trail, path]));
      settled.add(path);
      return found;
    };
    expect(files.flatMap((file) => walk(file.path, []))).toEqual([]);
  });

  it('has no barrels, no default exports and no drawers for odds and ends', () => {
    const wrong = files.filter(
      (file) =>
        /(^|\/)index\.ts$/.test(file.path) || /(^|\/)(utils?|helpers?)(\/|\.ts$)/.test(file.path) || /^export default/m.test(file.text),
    );
    expect(wrong.map((file) => file.path)).toEqual([]);
  });

  it('opens each file with one sentence on what it is for, and keeps it short', () => {
    const wrong = files.filter((file) => !/^(#!.*\n)?\/\*\*/.test(file.text) || file.text.split('\n').length > 320);
    expect(wrong.map((file) => `${file.path} (${file.text.split('\n').length} lines)`)).toEqual([]);
  });
});
