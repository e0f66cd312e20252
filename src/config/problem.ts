/** What is wrong with a configuration, where, and what would be right; and the text that tells it. */

/** Position of a value or key in one YAML document: keys and list indexes from its root. */
export type YamlPath = readonly (string | number)[];

export interface Problem {
  readonly file: string;
  /** From 1; 0 when the whole file is meant. */
  readonly line: number;
  readonly column: number;
  /** `spec.objectives[0].latency`; empty for the whole document. */
  readonly path: string;
  readonly message: string;
  readonly expected?: string;
  readonly suggestion?: string;
}

/** What a problem says besides its place. */
export interface Finding {
  readonly message: string;
  readonly expected?: string | undefined;
  readonly suggestion?: string | undefined;
}

/** Notes what is wrong at a place of the document at hand. */
export type Say = (path: YamlPath, finding: Finding) => void;

/** Mistakes are refused; what can be used, but is hardly what somebody wants, is warned of. */
export interface Critic {
  readonly refuse: Say;
  readonly warn: Say;
}

/** More than these are counted, not shown. */
const MAX_SHOWN = 100;
const MAX_VALUE_CHARS = 80;
const SECRET_NAME = /token|secret|password|passwd|credential|authorization|api_?key|private_?key|^url$/i;
const SECRET_VALUE = /whsec_|bearer |:\/\/[^/]*@/i;

export function problemAt(file: string, at: { readonly line: number; readonly column: number }, path: YamlPath, finding: Finding): Problem {
  return {
    file,
    line: at.line,
    column: at.column,
    path: pathText(path),
    message: finding.message,
    ...(finding.expected === undefined ? {} : { expected: finding.expected }),
    ...(finding.suggestion === undefined ? {} : { suggestion: finding.suggestion }),
  };
}

/** A problem of a file as a whole. */
export function fileProblem(file: string, finding: Finding): Problem {
  return problemAt(file, { line: 0, column: 0 }, [], finding);
}

/** `sinks[0].url`; keys that hold more than letters are quoted: `spans.statusTreatment["429"]`. */
export function pathText(path: YamlPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(clipped(step))}]`;
  }
  return text;
}

/** A value as a message may show it: on one line, cut, and never anything that lies where secrets lie or looks like one. */
export function shownValue(value: unknown, path: YamlPath): string {
  if (path.some((step) => typeof step === 'string' && SECRET_NAME.test(step))) return '[redacted]';
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  const text = String(value);
  return SECRET_VALUE.test(text) ? '[redacted]' : `\`${clipped(text)}\``;
}

function clipped(text: string): string {
  const cut = text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}…` : text;
  return printable(cut);
}

/** Without characters that could move a terminal's cursor. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** All problems (or warnings, by `noun`) for people: one paragraph each, and a last line that counts them. Empty text for none. */
export function renderProblems(problems: readonly Problem[], noun = 'problem'): string {
  if (problems.length === 0) return '';
  const paragraphs = problems.slice(0, MAX_SHOWN).map(paragraph);
  if (problems.length > MAX_SHOWN) paragraphs.push(`… and ${problems.length - MAX_SHOWN} more`);
  const files = new Set(problems.map((problem) => problem.file)).size;
  return `${paragraphs.join('\n\n')}\n\n${counted(problems.length, noun)} in ${counted(files, 'file')}\n`;
}

function paragraph(problem: Problem): string {
  const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  const lines = [problem.path === '' ? place : `${place}  ${problem.path}`, `  ${problem.message}`];
  if (problem.expected !== undefined) lines.push(`  expected: ${problem.expected}`);
  if (problem.suggestion !== undefined) lines.push(`  did you mean \`${problem.suggestion}\`?`);
  return lines.map((line) => line.split('\n').map(printable).join('\n')).join('\n');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** By file in the order they were read, then by place. */
export function sortedProblems(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = new Map(files.map((file, index) => [file, index]));
  const rankOf = (problem: Problem): number => rank.get(problem.file) ?? files.length;
  return [...problems].sort((a, b) => rankOf(a) - rankOf(b) || a.line - b.line || a.column - b.column);
}
