/** Reads YAML text into values that know their place, and explains what is no YAML. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
  type YAMLError,
} from 'yaml';
import { type Finding, fileProblem, type Problem, problemAt, type YamlPath } from './problem.ts';

/** One document of a file. */
export interface SourceDocument {
  readonly file: string;
  /** Plain data as JSON has it. */
  readonly value: unknown;
  /** A problem at the value at `path`, or at its key; where there is none (something is missing), at the nearest section that is there. */
  problem(path: YamlPath, finding: Finding, at?: 'value' | 'key'): Problem;
}

export interface SourceText {
  readonly documents: readonly SourceDocument[];
  readonly problems: readonly Problem[];
}

/** Aliases may multiply the content by so much: more is a "billion laughs" bomb. */
const MAX_ALIASES = 100;
const MAX_DOCUMENTS = 1000;
const MAX_SYNTAX_PROBLEMS = 10;

/** Empty documents are left out. A file with a syntax error yields no documents: what follows the error cannot be trusted. */
export function readYaml(file: string, text: string): SourceText {
  const lines = new LineCounter();
  let parsed: Document.Parsed[];
  try {
    const options = { lineCounter: lines, prettyErrors: false, stringKeys: true, logLevel: 'error' } as const;
    parsed = [...parseAllDocuments(text, options)] as Document.Parsed[];
  } catch {
    // The parser recurses; thousands of nested brackets exhaust the stack.
    return { documents: [], problems: [fileProblem(file, { message: 'the YAML is nested too deeply to be read' })] };
  }
  if (parsed.length > MAX_DOCUMENTS) {
    return { documents: [], problems: [fileProblem(file, { message: `more than ${MAX_DOCUMENTS} documents in one file` })] };
  }
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems: Problem[] = [];
  for (const document of parsed) {
    const seenLines = new Set<number>();
    for (const error of document.errors) {
      const at = place(errorOffset(document, error));
      // One mistake makes the parser stumble several times over its line.
      if (seenLines.has(at.line) || problems.length >= MAX_SYNTAX_PROBLEMS) continue;
      seenLines.add(at.line);
      problems.push(problemAt(file, at, [], syntaxFinding(error, text)));
    }
  }
  if (problems.length > 0) return { documents: [], problems };
  const documents: SourceDocument[] = [];
  for (const document of parsed) {
    const source = sourceDocument(file, document, place);
    if ('message' in source) problems.push(source);
    else if (source.value !== null && source.value !== undefined) documents.push(source);
  }
  return { documents, problems };
}

function sourceDocument(
  file: string,
  document: Document.Parsed,
  place: (offset: number) => { line: number; column: number },
): SourceDocument | Problem {
  const offsetOf = (path: YamlPath, at: 'value' | 'key'): number => nodeOffset(document, path, at);
  try {
    return {
      file,
      value: document.toJS({ maxAliasCount: MAX_ALIASES }),
      problem: (path, finding, at = 'value') => problemAt(file, place(offsetOf(path, at)), path, finding),
    };
  } catch (error) {
    return aliasProblem(file, document, place, error instanceof ReferenceError);
  }
}

/** The conversion to data fails only for aliases: unknown ones, or too many. */
function aliasProblem(
  file: string,
  document: Document.Parsed,
  place: (offset: number) => { line: number; column: number },
  isReference: boolean,
): Problem {
  if (!isReference) return fileProblem(file, { message: 'the YAML is nested too deeply to be read' });
  const anchors = new Set<string>();
  let unknown: Node | undefined;
  let last: Node | undefined;
  visit(document, (_key, node) => {
    if (isAlias(node)) {
      last = node;
      if (!anchors.has(node.source)) unknown ??= node;
    } else if (isNode(node) && 'anchor' in node && typeof node.anchor === 'string') anchors.add(node.anchor);
  });
  const at = place((unknown ?? last)?.range?.[0] ?? 0);
  return unknown === undefined
    ? problemAt(file, at, [], { message: `aliases repeat content more than ${MAX_ALIASES} times: such a file can fill all memory` })
    : problemAt(file, at, [], { message: 'this alias has no anchor before it', expected: 'a text that starts with `*` in quotes' });
}

function nodeOffset(document: Document.Parsed, path: YamlPath, at: 'value' | 'key'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? document.range[0];
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item.key) === String(step));
      if (!isPair(pair)) return offset;
      const isLast = depth === path.length - 1;
      const value = startOf(pair.value);
      offset = (isLast && at === 'key') || value === undefined ? (startOf(pair.key) ?? offset) : value;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function startOf(node: unknown): number | undefined {
  if (!isNode(node)) return undefined;
  const range = node.range;
  // An empty value (`key:`) lies nowhere: its key is a better place.
  return range && (range[1] > range[0] || !isScalar(node)) ? range[0] : undefined;
}

/** An unclosed quote is noticed at the end of the file; its beginning is where to look. */
function errorOffset(document: Document.Parsed, error: YAMLError): number {
  const [noticed] = error.pos;
  let offset = noticed;
  if (error.code !== 'MISSING_CHAR') return offset;
  visit(document, {
    Scalar: (_key, node) => {
      const isQuoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE';
      if (isQuoted && node.range && node.range[0] < noticed && node.range[1] >= noticed) offset = node.range[0];
    },
  });
  return offset;
}

/** In our own words: the parser's could quote a secret. */
function syntaxFinding(error: YAMLError, text: string): Finding {
  const [start] = error.pos;
  const line = text.slice(text.lastIndexOf('\n', start - 1) + 1, start + 1);
  if (error.code === 'UNEXPECTED_TOKEN' && /[:-]\s+>/.test(line)) {
    return {
      message: 'a value that starts with `>` needs quotes: without them YAML takes it for the start of a folded text',
      expected: 'quotes, as in `"> 1%"`',
    };
  }
  return { message: SYNTAX[error.code] ?? 'this is not valid YAML here' };
}

const SYNTAX: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'this alias has no anchor before it; a text that starts with `*` needs quotes',
  BAD_DIRECTIVE: 'a line that starts with `%` is a YAML directive, and this is none that is known',
  BAD_DQ_ESCAPE: 'this escape is not known inside double quotes; single quotes take `\\` as it is',
  BAD_INDENT: 'the indentation does not fit, or a bracket before it is not closed',
  BAD_SCALAR_START: 'a text cannot start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second `:` on one line, or a line that is indented too far; a text with `: ` needs quotes',
  BLOCK_IN_FLOW: 'a block cannot stand inside brackets',
  DUPLICATE_KEY: 'this key is there twice; the second would silently replace the first',
  KEY_OVER_1024_CHARS: 'a key is at most 1024 characters long',
  MISSING_CHAR: 'a quote or bracket is not closed, or a space or comma is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; is a `:` missing?',
  MULTIPLE_ANCHORS: 'a value has at most one anchor',
  MULTIPLE_TAGS: 'a value has at most one tag',
  NON_STRING_KEY: 'a key must be a text',
  TAB_AS_INDENT: 'a tab cannot indent YAML; use spaces',
  TAG_RESOLVE_FAILED: 'this tag (`!…`) cannot be applied',
  UNEXPECTED_TOKEN: 'this is not expected here; is a quote, a `:` or an indentation wrong before it?',
};
