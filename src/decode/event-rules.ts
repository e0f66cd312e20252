/** Own definitions of good and bad: holds a span against the event rules of its service. */
import {
  type AttributeRule,
  type EventRule,
  MAX_EVENT_RULES,
  SPAN_KIND_ATTRIBUTE,
  SPAN_KINDS,
  SPAN_STATUS_ATTRIBUTE,
  SPAN_STATUSES,
  type SpanRules,
} from '../model/span-rules.ts';
import {
  attributeCondition,
  type Condition,
  fieldCondition,
  KIND_FIELD,
  STATUS_FIELD,
  spanMeetsAll,
  valueMeets,
} from './attribute-condition.ts';
import { namesLike, RPC_STATUS_NAMES } from './semconv-attributes.ts';
import type { SpanFields } from './span-fields.ts';
import { grpcSpellings } from './status-codes.ts';

/** Bit of the first rule among the bad ones in what `eventMasks` gives; those of the valid ones begin at 0. */
export const BAD_SHIFT = MAX_EVENT_RULES;

/** Conditions that a span has to complete, all of them; null: it cannot. */
type Open = readonly Condition[] | null;

interface CompiledRule {
  readonly where: Open;
  readonly bad: readonly (readonly Condition[])[];
}

/** What a resource leaves open of the event rules of its service, by bit. */
export type ResourceEvents = readonly CompiledRule[];

/** Names of all attributes that some rule asks for. */
export function eventAttributes(events: SpanRules['events']): string[] {
  const rules = [...events.values()].flat().flatMap(({ where, bad }) => (where === null ? bad : [where, ...bad]));
  return rules.flatMap((rule) => Object.keys(rule).filter((name) => !isField(name)));
}

/** A rule without attributes matches nothing. */
export class EventRules {
  readonly #byService = new Map<string, readonly CompiledRule[]>();

  /** `slotOf` gives the span slot of an attribute. Rules of a service beyond MAX_EVENT_RULES have no bit. */
  constructor(events: SpanRules['events'], slotOf: (attribute: string) => number) {
    const compile = ({ where, bad }: EventRule): CompiledRule => ({
      where: where === null ? [] : conditionsOf(where, slotOf),
      bad: bad.map((rule) => conditionsOf(rule, slotOf)).filter((conditions) => conditions !== null),
    });
    for (const [service, rules] of events) {
      if (rules.length > 0) this.#byService.set(service, rules.slice(0, MAX_EVENT_RULES).map(compile));
    }
  }

  /** The rules for spans of a resource, null where its service has none; `attribute` tells the resource's values as text. */
  forResource(service: string, attribute: (name: string) => string | undefined): ResourceEvents | null {
    const isOpen = (condition: Condition) => !valueMeets(condition, attribute(condition.name));
    const rules = this.#byService.get(service)?.map(({ where, bad }) => ({
      where: where?.filter(isOpen) ?? null,
      bad: bad.map((conditions) => conditions.filter(isOpen)),
    }));
    return rules ?? null;
  }
}

/** Bit i: the span is valid for rule i; bit BAD_SHIFT + i: it is bad for it, too. */
export function eventMasks(events: ResourceEvents, fields: SpanFields): number {
  let masks = 0;
  for (let i = 0; i < events.length; i++) {
    const { where, bad } = events[i] as CompiledRule;
    if (where === null || !spanMeetsAll(where, fields)) continue;
    masks |= 1 << i;
    for (let b = 0; b < bad.length; b++) {
      if (!spanMeetsAll(bad[b] as readonly Condition[], fields)) continue;
      masks |= 1 << (BAD_SHIFT + i);
      break;
    }
  }
  return masks;
}

function conditionsOf(rule: AttributeRule, slotOf: (attribute: string) => number): Open {
  const conditions = Object.entries(rule).map(([name, values]) => {
    if (name === SPAN_STATUS_ATTRIBUTE) return fieldCondition(STATUS_FIELD, name, values, SPAN_STATUSES);
    if (name === SPAN_KIND_ATTRIBUTE) return fieldCondition(KIND_FIELD, name, values, SPAN_KINDS);
    const spellings = RPC_STATUS_NAMES.includes(name) ? values.flatMap(grpcSpellings) : values;
    return attributeCondition(name, spellings, namesLike(name).map(slotOf));
  });
  return conditions.length === 0 ? null : conditions;
}

function isField(name: string): boolean {
  return name === SPAN_STATUS_ATTRIBUTE || name === SPAN_KIND_ATTRIBUTE;
}
