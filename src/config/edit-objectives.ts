/** Adds objectives to the text of an SLO file: lines are inserted where the YAML says, so every comment and space of the others stays. */
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

/** What is to be added, as an entry of a file has it: `latency: p95 < 500ms`. */
export interface NewObjective {
  readonly text: string;
  /** Null: the whole service. */
  readonly endpoint: string | null;
}

type Parsed = Document.Parsed;

/** Index of the document about the service, or null. Text that is no YAML has none. */
export function documentOf(text: string, service: string): number | null {
  const documents = parseAllDocuments(text) as Parsed[];
  const index = documents.findIndex((document) => {
    if (document.errors.length > 0) return false;
    return document.getIn(['kind']) === 'ServiceObjectives' && document.getIn(['spec', 'service']) === service;
  });
  return index < 0 ? null : index;
}

/** The text with a new document for the service at its end. */
export function withNewDocument(text: string, service: string, objectives: readonly NewObjective[]): string {
  const name = documentName(service);
  const own = objectives.filter(({ endpoint }) => endpoint === null).map(entryOf);
  const endpoints = [
    ...Map.groupBy(
      objectives.filter(({ endpoint }) => endpoint !== null),
      ({ endpoint }) => endpoint,
    ),
  ];
  const perEndpoint = endpoints.map(([match, entries]) => ({ match, objectives: entries.map(entryOf) }));
  const spec = { service, ...(own.length > 0 && { objectives: own }), ...(perEndpoint.length > 0 && { perEndpoint }) };
  const document = stringify({ apiVersion: 'slipstream.dev/v1', kind: 'ServiceObjectives', metadata: { name }, spec }, { lineWidth: 0 });
  if (text.trim() === '') return document;
  return `${text.trimEnd()}\n---\n${document}`.replaceAll('\n', text.includes('\r\n') ? '\r\n' : '\n').replaceAll('\r\r', '\r');
}

/** `shop/checkout` → `shop-checkout`: a name that metadata and files may have. */
export function documentName(service: string): string {
  const name = service
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
  return name === '' ? 'service' : name;
}

/** The text with objectives added to the document at `index`, those of an endpoint below `perEndpoint`. */
export function withObjectives(text: string, index: number, objectives: readonly NewObjective[]): string {
  const groups = Map.groupBy(objectives, ({ endpoint }) => endpoint);
  let edited = text;
  for (const [endpoint, group] of groups) {
    const document = (parseAllDocuments(edited, { keepSourceTokens: false }) as Parsed[])[index];
    if (document === undefined) throw new RangeError(`the text has no document ${index}`);
    const inserted = insertion(edited, document, endpoint, group.map(entryOf));
    edited = inserted ?? rewritten(edited, index, endpoint, group.map(entryOf));
  }
  return edited;
}

type Entry = Readonly<Record<string, string>>;

function entryOf({ text }: NewObjective): Entry {
  const colon = text.indexOf(':');
  return { [text.slice(0, colon)]: text.slice(colon + 1).trim() };
}

/** The text with lines inserted; null where the document is written in a form that takes no lines. */
function insertion(text: string, document: Parsed, endpoint: string | null, entries: readonly Entry[]): string | null {
  const spec = document.get('spec');
  if (!isMap(spec) || spec.flow === true) return null;
  const list = endpoint === null ? pairOf(spec, 'objectives')?.value : objectivesOf(spec, endpoint);
  if (list !== undefined) return appended(text, list, entries);
  const keyColumn = columnOf(text, startOf(spec.items[0]?.key));
  if (endpoint === null) return afterPair(text, pairOf(spec, 'service'), indented({ objectives: entries }, keyColumn));
  const others = pairOf(spec, 'perEndpoint')?.value;
  const added = { match: endpoint, objectives: entries };
  if (others !== undefined) return isSeq(others) ? appended(text, others, [added]) : null;
  return afterPair(text, pairOf(spec, 'objectives') ?? pairOf(spec, 'service'), indented({ perEndpoint: [added] }, keyColumn));
}

/** The objectives of the first entry of `perEndpoint` that is about exactly this endpoint and has any. */
function objectivesOf(spec: YAMLMap, endpoint: string): unknown {
  const list = pairOf(spec, 'perEndpoint')?.value;
  if (!isSeq(list)) return undefined;
  for (const item of list.items) {
    if (isMap(item) && item.get('match') === endpoint && item.has('objectives')) return pairOf(item, 'objectives')?.value;
  }
  return undefined;
}

function appended(text: string, list: unknown, entries: readonly unknown[]): string | null {
  if (isScalar(list)) return longerLine(text, list, entries as readonly Entry[]);
  if (!isSeq(list)) return null;
  const last = list.items.at(-1);
  const end = endOf(last);
  if (list.flow === true) {
    const flow = entries.map((entry) => stringify(entry, { collectionStyle: 'flow', lineWidth: 0 }).trim()).join(', ');
    const start = list.range?.[0];
    return end === undefined ? (start === undefined ? null : spliced(text, start + 1, flow)) : spliced(text, end, `, ${flow}`);
  }
  const column = columnOf(text, startOf(list));
  if (end === undefined || column === null) return null;
  return afterLine(text, end, indented(entries, column));
}

/** `objectives: p95 < 500ms` as one line of a contract grows by a part. */
function longerLine(text: string, line: Node, entries: readonly Entry[]): string | null {
  if (!isScalar(line) || typeof line.value !== 'string' || line.range == null) return null;
  const isQuoted = line.type === 'QUOTE_DOUBLE' || line.type === 'QUOTE_SINGLE';
  if (!isQuoted && line.type !== 'PLAIN') return null;
  const parts = entries.map((entry) => contractPart(entry)).join(', ');
  return spliced(text, isQuoted ? line.range[1] - 1 : line.range[1], `, ${parts}`);
}

const SUBJECTS: Readonly<Record<string, string>> = { errorRate: 'errors ', throughput: 'throughput ', inFlight: 'in flight ' };

function contractPart(entry: Entry): string {
  const [[key = '', value = ''] = []] = Object.entries(entry);
  return `${SUBJECTS[key] ?? ''}${value}`;
}

function afterPair(text: string, pair: Pair | undefined, lines: string | null): string | null {
  const end = endOf(pair?.value);
  return end === undefined || lines === null ? null : afterLine(text, end, lines);
}

/** After the line that holds `offset`, and the comment at its end. */
function afterLine(text: string, offset: number, lines: string): string {
  const newline = text.indexOf('\n', offset);
  const isDos = text.includes('\r\n');
  const block = isDos ? lines.replaceAll('\n', '\r\n') : lines;
  const lineEnd = isDos ? '\r\n' : '\n';
  return newline < 0 ? `${text}${lineEnd}${block}${lineEnd}` : spliced(text, newline + 1, `${block}${lineEnd}`);
}

function spliced(text: string, at: number, what: string): string {
  return text.slice(0, at) + what + text.slice(at);
}

/** As block YAML, every line `column` spaces in. */
function indented(value: unknown, column: number): string;
function indented(value: unknown, column: number | null): string | null;
function indented(value: unknown, column: number | null): string | null {
  if (column === null) return null;
  return stringify(value, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
    .map((line) => ' '.repeat(column) + line)
    .join('\n');
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => (isScalar(pair.key) ? pair.key.value : pair.key) === key);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** Spaces before `offset` in its line; null when something else stands there. */
function columnOf(text: string, offset: number | undefined): number | null {
  if (offset === undefined) return null;
  const before = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return before.trim() === '' ? before.length : null;
}

/** Where the last thing in a node ends: collections in blocks reach over comments and empty lines behind them. */
function endOf(node: unknown): number | undefined {
  if (isMap(node) && node.flow !== true) {
    const last = node.items.at(-1);
    return endOf(last?.value) ?? endOf(last?.key);
  }
  if (isSeq(node) && (node as YAMLSeq).flow !== true) return endOf(node.items.at(-1));
  return isNode(node) ? node.range?.[1] : undefined;
}

/**
 * Where lines cannot be inserted, the document is written anew; its comments stay, spaces may change. Other documents stay as they are. Unchanged where
 * something else than a list or a line stands, such as an alias: what it promises would be lost.
 */
function rewritten(text: string, index: number, endpoint: string | null, entries: readonly Entry[]): string {
  const document = (parseAllDocuments(text) as Parsed[])[index];
  if (document === undefined) throw new RangeError(`the text has no document ${index}`);
  const add = (path: readonly (string | number)[], added: readonly unknown[]): boolean => {
    const list = document.getIn(path, true);
    if (isScalar(list) && typeof list.value === 'string') {
      list.value = `${list.value.trim()}, ${(added as readonly Entry[]).map(contractPart).join(', ')}`;
    } else if (isSeq(list)) for (const entry of added) document.addIn(path, document.createNode(entry));
    else if (list === undefined || (isScalar(list) && list.value === null)) document.setIn(path, document.createNode(added));
    else return false;
    return true;
  };
  const others = document.getIn(['spec', 'perEndpoint']);
  const position = isSeq(others)
    ? others.items.findIndex((item) => isMap(item) && item.get('match') === endpoint && item.has('objectives'))
    : -1;
  const isAdded =
    endpoint === null
      ? add(['spec', 'objectives'], entries)
      : position >= 0
        ? add(['spec', 'perEndpoint', position, 'objectives'], entries)
        : add(['spec', 'perEndpoint'], [{ match: endpoint, objectives: entries }]);
  if (!isAdded) return text;
  // What stands before the first document, such as a comment, is part of it.
  const start = index === 0 ? 0 : document.range[0];
  const anew = document.toString({ lineWidth: 0 });
  return text.slice(0, start) + (text.includes('\r\n') ? anew.replaceAll(/\r?\n/g, '\r\n') : anew) + text.slice(document.range[2]);
}
