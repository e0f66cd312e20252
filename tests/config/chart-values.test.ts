/** The schema of values is what older Helms can read, too, and choices in it are refused by the kind that was meant. */
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { chartValuesJson } from '../../src/config/chart-values-json.ts';
import { withClearChoices } from '../../src/config/clear-choices.ts';

const OPTIONS = { strict: false, validateFormats: false, allErrors: true } as const;

function everyObject(value: unknown, found: Record<string, unknown>[] = []): readonly Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return found;
  if (!Array.isArray(value)) found.push(value as Record<string, unknown>);
  for (const inner of Object.values(value)) everyObject(inner, found);
  return found;
}

describe('the schema of values', () => {
  const objects = everyObject(chartValuesJson());

  it('has patterns without look-around, which Go does not know', () => {
    const patterns = objects.flatMap(({ pattern, patternProperties }) => [pattern, ...Object.keys(patternProperties ?? {})]);
    const texts = patterns.filter((pattern) => typeof pattern === 'string');
    expect(texts.length).toBeGreaterThan(50);
    expect(texts.filter((pattern) => /\(\?[=!<]/.test(pattern))).toEqual([]);
  });

  it('has only words of draft-07', () => {
    const newer = ['$defs', 'prefixItems', 'unevaluatedProperties', 'dependentRequired', '$dynamicRef'];
    expect(newer.filter((word) => objects.some((object) => word in object))).toEqual([]);
  });
});

describe('a choice by a constant', () => {
  const kind = (name: string, extra: object) => ({
    type: 'object',
    properties: { type: { const: name }, ...extra },
    required: ['type', ...Object.keys(extra)],
    additionalProperties: false,
  });
  const before = { oneOf: [kind('a', { url: { type: 'string' } }), kind('b', { count: { type: 'integer' } })] };
  const [old, clear] = [before, withClearChoices(before) as object].map((schema) => new Ajv(OPTIONS).compile(schema));

  it.each([
    [{ type: 'a', url: 'x' }, true],
    [{ type: 'b', count: 1 }, true],
    [{ type: 'a', count: 1 }, false],
    [{ type: 'c' }, false],
    [{ url: 'x' }, false],
    [{ type: 'b', count: 'x' }, false],
    ['a', false],
    [null, false],
  ])('takes the same as before: %j', (value, isTaken) => {
    expect([old?.(value), clear?.(value)]).toEqual([isTaken, isTaken]);
  });

  it('complains of the kind that was meant alone', () => {
    clear?.({ type: 'b', count: 'x' });
    expect(clear?.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`)).toContain('/count must be integer');
    expect(JSON.stringify(clear?.errors)).not.toContain('url');
  });

  it('is left as it is where no property tells the members apart', () => {
    const loose = { oneOf: [{ type: 'string' }, { type: 'object', properties: { type: { const: 'a' } } }] };
    expect(withClearChoices(loose)).toEqual(loose);
  });
});
