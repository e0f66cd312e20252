/** Problems as people read them. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { checkDocument } from '../../src/config/check-document.ts';
import { resolvePolicies } from '../../src/config/policies.ts';
import { type Problem, pathText, renderProblems, shownValue } from '../../src/config/problem.ts';
import { processSchema } from '../../src/config/process-schema.ts';
import { readYaml } from '../../src/config/yaml-source.ts';

const problem: Problem = {
  file: 'slos/a.yaml',
  line: 3,
  column: 5,
  path: 'spec.objectives[0].latncy',
  message: 'there is no such option here',
  expected: 'one of latency, name',
  suggestion: 'latency',
};

describe('rendered problems', () => {
  it('tell place, path, what is wrong, what was expected and what was meant', () => {
    expect(renderProblems([problem])).toBe(
      [
        'slos/a.yaml:3:5  spec.objectives[0].latncy',
        '  there is no such option here',
        '  expected: one of latency, name',
        '  did you mean `latency`?',
        '',
        '1 problem in 1 file',
        '',
      ].join('\n'),
    );
  });

  it('are an empty text when there are none', () => {
    expect(renderProblems([])).toBe('');
  });

  it('are counted, not shown, beyond a hundred', () => {
    const text = renderProblems(Array.from({ length: 250 }, () => problem));
    expect(text).toContain('… and 150 more');
    expect(text).toContain('250 problems in 1 file');
  });

  it('cannot move the cursor of a terminal', () => {
    expect(renderProblems([{ ...problem, message: 'a\u001b[2Jb\u202ec' }])).toContain('a\\u{1b}[2Jb\\u{202e}c');
  });

  it.each([
    [['spec', 'objectives', 0, 'latency'], 'spec.objectives[0].latency'],
    [['spans', 'statusTreatment', '429'], 'spans.statusTreatment["429"]'],
    [['spec', 'track', 'service.version'], 'spec.track["service.version"]'],
    [[], ''],
  ])('write the path %j as `%s`', (path, text) => {
    expect(pathText(path)).toBe(text);
  });

  it.each([
    ['hunter2', ['api', 'token'], '[redacted]'],
    ['hunter2', ['sinks', 0, 'secrets', 0], '[redacted]'],
    ['https://hooks.example.com/T00/B00', ['sinks', 0, 'url'], '[redacted]'],
    ['whsec_abc', ['sinks', 0, 'timeout'], '[redacted]'],
    ['https://me:pw@example.com', ['slos', 0], '[redacted]'],
    ['x'.repeat(200), ['slos', 0], `\`${'x'.repeat(80)}…\``],
    [30, ['window'], '`30`'],
    [{ a: 'hunter2' }, ['window'], 'a section'],
    [['hunter2'], ['window'], 'a list'],
    [null, ['window'], 'nothing'],
  ])('show the value %j at %j as %s', (value, path, text) => {
    expect(shownValue(value, path)).toBe(text);
  });
});

describe('random input', () => {
  const words = fc.constantFrom(
    'api',
    'port',
    'token',
    'spec',
    'apiVersion',
    'slipstream.dev/v1',
    'kind',
    'Defaults',
    'ServiceObjectives',
    'service',
    'canary',
    'metadata',
    'name',
    'objectives',
    'latency',
    'p95 < 1s',
    '99.9%',
  );
  const syntax = fc.constantFrom(
    ': ',
    '\n',
    '\n  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ', ',
    '"',
    "'",
    '> ',
    '| ',
    '*a',
    '&a ',
    '!x ',
    '# ',
    '---\n',
    '\t',
    '%',
    '0',
    'null',
    '<<: ',
    '? ',
  );
  const yaml = fc.array(fc.oneof(words, syntax, fc.string({ maxLength: 3 })), { maxLength: 40 }).map((parts) => parts.join(''));

  test.prop([yaml], { numRuns: 2000 })('as YAML becomes documents or problems with a place, never an exception', (text) => {
    const { documents, problems } = readYaml('a.yaml', text);
    const found = [
      ...problems,
      ...documents.flatMap((document) => checkDocument(processSchema, document).problems),
      ...resolvePolicies(documents, { sinks: [], releaseBy: [] }, '', true).problems,
    ];
    expect(renderProblems(found) === '').toBe(found.length === 0);
    const lines = text.split('\n').length;
    for (const { line, column } of found) {
      expect(line).toBeGreaterThanOrEqual(0);
      expect(line).toBeLessThanOrEqual(lines);
      expect(column).toBeGreaterThanOrEqual(line === 0 ? 0 : 1);
    }
  });

  test.prop([fc.jsonValue()], { numRuns: 1000 })('as a document in envelope or none is judged without an exception', (value) => {
    const text = JSON.stringify({ apiVersion: 'slipstream.dev/v1', kind: 'ServiceObjectives', metadata: { name: 'a' }, spec: value });
    const { documents } = readYaml('a.json', text);
    expect(renderProblems(resolvePolicies(documents, null, '', true).problems)).toContain('a.json:1:');
  });
});
