/** Spans that the configuration leaves out: synthetic traffic, health checks, by attributes of span or resource. */
import type { AttributeRule, SpanRules } from '../model/span-rules.ts';
import { type SpanFields, VALUE_BOOL, VALUE_NUMBER } from './span-fields.ts';

const ANY_VALUE = '*';
const EVERY_SERVICE = '*';

/** One attribute of a rule, as a span is asked for it. */
interface Condition {
  readonly name: string;
  readonly slot: number;
  readonly any: boolean;
  readonly values: readonly string[];
  readonly texts: readonly Uint8Array[];
  /** NaN for a value that is not a number as `String(number)` writes it. */
  readonly numbers: readonly number[];
}

/** What a resource leaves open of the rules of its service. */
export interface ResourceExcludes {
  /** The resource alone fulfils a rule. */
  readonly everySpan: boolean;
  /** Rules that a span has to complete; a span that fulfils all conditions of one is left out. */
  readonly rules: readonly (readonly Condition[])[];
}

/** Names of all attributes that some rule asks for. */
export function excludeAttributes(exclude: SpanRules['exclude']): string[] {
  return [...exclude.values()].flatMap((rules) => rules.flatMap((rule) => Object.keys(rule)));
}

export class ExcludeRules {
  readonly #byService = new Map<string, readonly (readonly Condition[])[]>();
  readonly #every: readonly (readonly Condition[])[];

  /** `slotOf` gives the span slot of an attribute. A rule without attributes matches nothing. */
  constructor(exclude: SpanRules['exclude'], slotOf: (attribute: string) => number) {
    const compile = (rules: readonly AttributeRule[]) =>
      rules
        .filter((rule) => Object.keys(rule).length > 0)
        .map((rule) => Object.entries(rule).map(([name, values]) => conditionOf(name, values, slotOf(name))));
    for (const [service, rules] of exclude) this.#byService.set(service, compile(rules));
    this.#every = this.#byService.get(EVERY_SERVICE) ?? [];
  }

  /** The rules for spans of a resource; `attribute` tells the resource's values as text. */
  forResource(service: string, attribute: (name: string) => string | undefined): ResourceExcludes {
    const own = service === EVERY_SERVICE ? [] : (this.#byService.get(service) ?? []);
    const rules = [...this.#every, ...own].map((rule) => rule.filter((condition) => !meets(condition, attribute(condition.name))));
    return { everySpan: rules.some((rule) => rule.length === 0), rules };
  }
}

/** True when the span is left out. */
export function isExcluded(excludes: ResourceExcludes, fields: SpanFields): boolean {
  if (excludes.everySpan) return true;
  const rules = excludes.rules;
  for (let r = 0; r < rules.length; r++) {
    const rule = rules[r] as readonly Condition[];
    let met = 0;
    while (met < rule.length && spanMeets(rule[met] as Condition, fields)) met++;
    if (met === rule.length) return true;
  }
  return false;
}

function conditionOf(name: string, values: readonly string[], slot: number): Condition {
  return {
    name,
    slot,
    any: values.includes(ANY_VALUE),
    values,
    texts: values.map((value) => new TextEncoder().encode(value)),
    numbers: values.map((value) => (String(Number(value)) === value ? Number(value) : Number.NaN)),
  };
}

function meets(condition: Condition, value: string | undefined): boolean {
  return value !== undefined && (condition.any || condition.values.includes(value));
}

function spanMeets(condition: Condition, fields: SpanFields): boolean {
  const slot = condition.slot;
  if (!fields.has(slot)) return false;
  if (condition.any) return true;
  const type = fields.types[slot];
  if (type === VALUE_NUMBER) return condition.numbers.indexOf(fields.numbers[slot] as number) >= 0;
  if (type === VALUE_BOOL) return condition.values.includes(fields.numbers[slot] === 1 ? 'true' : 'false');
  const start = fields.starts[slot] as number;
  const length = (fields.ends[slot] as number) - start;
  for (let t = 0; t < condition.texts.length; t++) {
    const text = condition.texts[t] as Uint8Array;
    if (text.length !== length) continue;
    let same = 0;
    while (same < length && text[same] === fields.bytes[start + same]) same++;
    if (same === length) return true;
  }
  return false;
}
