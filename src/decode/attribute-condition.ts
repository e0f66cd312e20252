/** One attribute of a rule and the values it may have, as a span is asked for it: no strings are made. */
import { SPAN_STATUSES } from '../model/span-rules.ts';
import { type SpanFields, VALUE_BOOL, VALUE_NUMBER } from './span-fields.ts';

const ANY_VALUE = '*';
/** Whole numbers below this, such as status codes, are looked up in a table: `5xx` alone stands for a hundred of them. */
const TABLE_SIZE = 1024;
const MAX_TABLE_DIGITS = 4;
const ZERO = 0x30;

/** Where a condition finds its value; other kinds than ATTRIBUTE are fields of the span, whose code is looked up in the table. */
export const ATTRIBUTE = 0;
export const STATUS_FIELD = 1;
export const KIND_FIELD = 2;
export type ConditionSource = typeof ATTRIBUTE | typeof STATUS_FIELD | typeof KIND_FIELD;

export interface Condition {
  readonly source: ConditionSource;
  readonly name: string;
  /** Of the attribute's names, newest first; the first with a usable value counts. */
  readonly slots: readonly number[];
  readonly any: boolean;
  readonly values: ReadonlySet<string>;
  /** 1 for each whole number below TABLE_SIZE among the values; empty when there is none. */
  readonly table: Uint8Array;
  /** The other values as UTF-8, and as numbers: NaN for one that is not a number as `String(number)` writes it. */
  readonly texts: readonly Uint8Array[];
  readonly numbers: readonly number[];
}

const NO_TABLE = new Uint8Array(0);

/** A condition on the attribute `name`, whose slots are `slots`. */
export function attributeCondition(name: string, values: readonly string[], slots: readonly number[]): Condition {
  const isSmall = (value: string) => /^(0|[1-9]\d{0,3})$/.test(value) && Number(value) < TABLE_SIZE;
  const others = values.filter((value) => !isSmall(value));
  return {
    source: ATTRIBUTE,
    name,
    slots,
    any: values.includes(ANY_VALUE),
    values: new Set(values),
    table: tableOf(TABLE_SIZE, values.filter(isSmall).map(Number)),
    texts: others.map((value) => new TextEncoder().encode(value)),
    numbers: others.map((value) => (String(Number(value)) === value ? Number(value) : Number.NaN)),
  };
}

/** A condition on a field of the span; `words` are the names of its codes, by code. */
export function fieldCondition(source: ConditionSource, name: string, values: readonly string[], words: readonly string[]): Condition {
  const codes = words.flatMap((word, code) => (values.includes(word) ? [code] : []));
  const any = values.includes(ANY_VALUE);
  return { source, name, slots: [], any, values: new Set(values), table: tableOf(words.length, codes), texts: [], numbers: [] };
}

/** True when a resource's value, as text, is one of the condition's. */
export function valueMeets(condition: Condition, value: string | undefined): boolean {
  return value !== undefined && condition.source === ATTRIBUTE && (condition.any || condition.values.has(value));
}

export function spanMeets(condition: Condition, fields: SpanFields): boolean {
  const source = condition.source;
  if (source !== ATTRIBUTE) return condition.any || isInTable(condition.table, source === KIND_FIELD ? fields.kind : statusOf(fields));
  const slots = condition.slots;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] as number;
    if (fields.has(slot)) return condition.any || slotMeets(condition, fields, slot);
  }
  return false;
}

/** True when the span meets all of them; also when there are none. */
export function spanMeetsAll(conditions: readonly Condition[], fields: SpanFields): boolean {
  for (let c = 0; c < conditions.length; c++) if (!spanMeets(conditions[c] as Condition, fields)) return false;
  return true;
}

function slotMeets(condition: Condition, fields: SpanFields, slot: number): boolean {
  const type = fields.types[slot];
  if (type === VALUE_NUMBER) {
    const value = fields.numbers[slot] as number;
    return isInTable(condition.table, value) || condition.numbers.indexOf(value) >= 0;
  }
  if (type === VALUE_BOOL) return condition.values.has(fields.numbers[slot] === 1 ? 'true' : 'false');
  const start = fields.starts[slot] as number;
  const end = fields.ends[slot] as number;
  return isInTable(condition.table, smallNumberOf(fields.bytes, start, end)) || isOneOf(condition.texts, fields.bytes, start, end);
}

/** The number that the bytes write without leading zeros, below 10 000; -1 when they write none. */
function smallNumberOf(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > MAX_TABLE_DIGITS || (bytes[start] === ZERO && end - start > 1)) return -1;
  let value = 0;
  for (let pos = start; pos < end; pos++) {
    const digit = (bytes[pos] as number) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function isOneOf(texts: readonly Uint8Array[], bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  for (let t = 0; t < texts.length; t++) {
    const text = texts[t] as Uint8Array;
    if (text.length !== length) continue;
    let same = 0;
    while (same < length && text[same] === bytes[start + same]) same++;
    if (same === length) return true;
  }
  return false;
}

/** Other codes are as good as UNSET. */
function statusOf(fields: SpanFields): number {
  const code = fields.statusCode;
  return code > 0 && code < SPAN_STATUSES.length ? code : 0;
}

function isInTable(table: Uint8Array, value: number): boolean {
  return value >= 0 && value < table.length && Number.isInteger(value) && table[value] === 1;
}

function tableOf(size: number, codes: readonly number[]): Uint8Array {
  if (codes.length === 0) return NO_TABLE;
  const table = new Uint8Array(size);
  for (const code of codes) table[code] = 1;
  return table;
}
