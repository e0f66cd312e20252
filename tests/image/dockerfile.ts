/** Reads a Dockerfile: its stages with their instructions, and an error for whatever is not understood. */

/** What builds an image here; anything else in a Dockerfile is an error. */
export const INSTRUCTIONS = [
  'FROM',
  'ARG',
  'ENV',
  'LABEL',
  'WORKDIR',
  'COPY',
  'RUN',
  'USER',
  'VOLUME',
  'EXPOSE',
  'HEALTHCHECK',
  'ENTRYPOINT',
  'CMD',
] as const;
export type InstructionName = (typeof INSTRUCTIONS)[number];

export interface Instruction {
  readonly name: InstructionName;
  /** `--name=value`, before the rest. */
  readonly flags: Readonly<Record<string, string>>;
  /** What stands after the flags, with continued lines joined. */
  readonly rest: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

export interface Stage {
  /** As `AS` names it; the last one may have none. */
  readonly name: string | null;
  readonly from: Instruction;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** Before the first stage: for `FROM` lines only. */
  readonly args: readonly Instruction[];
  readonly stages: readonly Stage[];
}

/** Throws an error that names the line where it is not understood. */
export function parseDockerfile(text: string): Dockerfile {
  const args: Instruction[] = [];
  const stages: { name: string | null; from: Instruction; instructions: Instruction[] }[] = [];
  for (const instruction of instructionsIn(text)) {
    if (instruction.name === 'FROM') {
      const [, , name = null] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(instruction.rest) ?? fail(instruction, 'wants `FROM image [AS name]`');
      stages.push({ name, from: instruction, instructions: [] });
    } else if (stages.length > 0) stages.at(-1)?.instructions.push(instruction);
    else if (instruction.name === 'ARG') args.push(instruction);
    else fail(instruction, 'stands before the first FROM');
  }
  return { args, stages };
}

function instructionsIn(text: string): Instruction[] {
  const found: Instruction[] = [];
  let pending = '';
  let start = 0;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    if (pending === '') start = index + 1;
    if (/\\\s*$/.test(line)) {
      pending += `${line.replace(/\\\s*$/, '').trim()} `;
      continue;
    }
    found.push(instructionOf(pending + line.trim(), start));
    pending = '';
  }
  if (pending !== '') throw new Error(`Dockerfile line ${start}: ends with a continued line`);
  return found;
}

function instructionOf(text: string, line: number): Instruction {
  const [, word = '', after = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const name = INSTRUCTIONS.find((known) => known === word.toUpperCase());
  if (name === undefined) throw new Error(`Dockerfile line ${line}: ${word} is not understood here; known are ${INSTRUCTIONS.join(', ')}`);
  const flags: Record<string, string> = {};
  let rest = after;
  for (let match = FLAG.exec(rest); match !== null; match = FLAG.exec(rest)) {
    flags[match[1] ?? ''] = match[2] ?? '';
    rest = rest.slice(match[0].length);
  }
  return { name, flags, rest: rest.trim(), line };
}

const FLAG = /^--([a-z-]+)=(\S+)\s+/;

/** `["a", "b"]`; what needs a shell is refused, as the image may have none. */
export function execForm(instruction: Instruction, text = instruction.rest): readonly string[] {
  const value: unknown = text.startsWith('[') ? JSON.parse(text) : null;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  return fail(instruction, 'wants the exec form, ["program", "argument"]');
}

/** `NAME=value NAME2="a value"`. */
export function assignments(instruction: Instruction): readonly (readonly [string, string])[] {
  const found = [...instruction.rest.matchAll(/([\w.-]+)=(?:"([^"]*)"|(\S*))(?:\s+|$)/g)];
  const length = found.reduce((sum, match) => sum + match[0].length, 0);
  if (found.length === 0 || length !== instruction.rest.length) fail(instruction, 'wants NAME=value');
  return found.map((match) => [match[1] ?? '', match[2] ?? match[3] ?? '']);
}

/** `$NAME` and `${NAME}` as the builder fills them in; an unknown name is nothing. */
export function expanded(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (_, braced: string | undefined, bare: string | undefined) => values.get(braced ?? bare ?? '') ?? '',
  );
}

export function fail(instruction: Instruction, what: string): never {
  throw new Error(`Dockerfile line ${instruction.line}: ${instruction.name} ${what}: ${instruction.rest}`);
}
