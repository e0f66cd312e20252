/** Reads a regular expression of the kind that RE2 has, as far as an automaton of it is small. */

const MAX_LENGTH = 512;
const MAX_REPEAT = 100;

export type CharTest = (char: string) => boolean;

export type PatternNode =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'alternatives'; readonly of: readonly PatternNode[] }
  /** `most` may be Infinity. */
  | { readonly kind: 'repeat'; readonly of: PatternNode; readonly least: number; readonly most: number };

/** A pattern that is wrong, or of a kind that is not supported. */
export class PatternError extends Error {}

/** Throws a PatternError. */
export function parsePattern(source: string): PatternNode {
  if (source.length > MAX_LENGTH) throw new PatternError(`the pattern is longer than ${MAX_LENGTH} characters`);
  return new PatternReader(source).read();
}

class PatternReader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  read(): PatternNode {
    const pattern = this.#alternatives();
    if (this.#peek !== undefined) throw new PatternError(`unexpected ${this.#peek} in the pattern`);
    return pattern;
  }

  #alternatives(): PatternNode {
    const of = [this.#sequence()];
    while (this.#peek === '|') {
      this.#at++;
      of.push(this.#sequence());
    }
    return of.length === 1 ? (of[0] as PatternNode) : { kind: 'alternatives', of };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#peek !== undefined && this.#peek !== '|' && this.#peek !== ')') parts.push(this.#repeated(this.#atom()));
    return { kind: 'sequence', parts };
  }

  #repeated(of: PatternNode): PatternNode {
    const bounds = /^\{(\d{1,4})(?:(,)(\d{0,4}))?\}/.exec(this.#source.slice(this.#at, this.#at + 12));
    const sign = this.#peek;
    let least = sign === '+' ? 1 : 0;
    let most = sign === '?' ? 1 : Number.POSITIVE_INFINITY;
    if (bounds !== null) {
      least = Number(bounds[1]);
      most = bounds[2] === undefined ? least : bounds[3] === '' ? Number.POSITIVE_INFINITY : Number(bounds[3]);
      if (most < least || least > MAX_REPEAT || (Number.isFinite(most) && most > MAX_REPEAT)) {
        throw new PatternError(`the repetition ${bounds[0]} must go up, to at most ${MAX_REPEAT}`);
      }
      this.#at += bounds[0].length;
    } else if (sign === '*' || sign === '+' || sign === '?') this.#at++;
    else return of;
    // Lazy or not is the same where only whole texts match.
    if (this.#peek === '?') this.#at++;
    if (this.#peek === '*' || this.#peek === '+' || this.#peek === '?') throw new PatternError('a repetition cannot be repeated');
    return { kind: 'repeat', of, least, most };
  }

  #atom(): PatternNode {
    const char = this.#take();
    switch (char) {
      case '(': {
        if (this.#peek === '?') {
          if (!this.#source.startsWith('?:', this.#at)) throw new PatternError('flags and named groups are not supported');
          this.#at += 2;
        }
        const inner = this.#alternatives();
        if (this.#peek !== ')') throw new PatternError('missing closing )');
        this.#at++;
        return inner;
      }
      case '[':
        return { kind: 'char', test: this.#set() };
      case '.':
        return { kind: 'char', test: (other) => other !== '\n' };
      case '\\':
        return { kind: 'char', test: escaped(this.#take()) };
      case '^':
      case '$':
        throw new PatternError(`${char} is not supported: patterns are anchored at both ends as they are`);
      case '*':
      case '+':
      case '?':
        throw new PatternError(`missing argument to repetition operator ${char}`);
      default:
        return { kind: 'char', test: (other) => other === char };
    }
  }

  #set(): CharTest {
    const isNot = this.#peek === '^';
    if (isNot) this.#at++;
    const tests: CharTest[] = [];
    for (let isFirst = true; this.#peek !== ']' || isFirst; isFirst = false) {
      const low = this.#take();
      if (low === '[' && this.#peek === ':') throw new PatternError('named classes are not supported');
      if (low === '\\') tests.push(escaped(this.#take()));
      else if (this.#peek === '-' && this.#source[this.#at + 1] !== ']') {
        this.#at++;
        const high = this.#take();
        if (high === '\\' || high < low) throw new PatternError(`bad range ${low}-${high}`);
        tests.push((char) => low <= char && char <= high);
      } else tests.push((char) => char === low);
    }
    this.#at++;
    return (char) => tests.some((test) => test(char)) !== isNot;
  }

  get #peek(): string | undefined {
    const code = this.#source.codePointAt(this.#at);
    return code === undefined ? undefined : String.fromCodePoint(code);
  }

  #take(): string {
    const char = this.#peek;
    if (char === undefined) throw new PatternError('the pattern ends too early');
    this.#at += char.length;
    return char;
  }
}

const CLASSES: Readonly<Record<string, CharTest>> = {
  d: (char) => /^[0-9]$/.test(char),
  D: (char) => !/^[0-9]$/.test(char),
  w: (char) => /^[0-9A-Za-z_]$/.test(char),
  W: (char) => !/^[0-9A-Za-z_]$/.test(char),
  s: (char) => /^[\t\n\f\r ]$/.test(char),
  S: (char) => !/^[\t\n\f\r ]$/.test(char),
};
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v' };

function escaped(char: string): CharTest {
  const known = CLASSES[char];
  if (known !== undefined) return known;
  const literal = CONTROLS[char] ?? (/^[a-zA-Z0-9]$/.test(char) ? undefined : char);
  if (literal === undefined) throw new PatternError(`the escape \\${char} is not supported`);
  return (other) => other === literal;
}
