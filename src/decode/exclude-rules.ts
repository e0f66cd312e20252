/** Spans that the configuration leaves out: synthetic traffic, health checks, by attributes of span or resource. */
import type { AttributeRule, SpanRules } from '../model/span-rules.ts';
import { attributeCondition, type Condition, spanMeetsAll, valueMeets } from './attribute-condition.ts';
import type { SpanFields } from './span-fields.ts';

const EVERY_SERVICE = '*';

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
        .map((rule) => Object.entries(rule).map(([name, values]) => attributeCondition(name, values, [slotOf(name)])));
    for (const [service, rules] of exclude) this.#byService.set(service, compile(rules));
    this.#every = this.#byService.get(EVERY_SERVICE) ?? [];
  }

  /** The rules for spans of a resource; `attribute` tells the resource's values as text. */
  forResource(service: string, attribute: (name: string) => string | undefined): ResourceExcludes {
    const own = service === EVERY_SERVICE ? [] : (this.#byService.get(service) ?? []);
    const rules = [...this.#every, ...own].map((rule) => rule.filter((condition) => !valueMeets(condition, attribute(condition.name))));
    return { everySpan: rules.some((rule) => rule.length === 0), rules };
  }
}

/** True when the span is left out. */
export function isExcluded(excludes: ResourceExcludes, fields: SpanFields): boolean {
  if (excludes.everySpan) return true;
  const rules = excludes.rules;
  for (let r = 0; r < rules.length; r++) if (spanMeetsAll(rules[r] as readonly Condition[], fields)) return true;
  return false;
}
