/** Why a request was refused, and where. */

/** Plain data; `message` completes "`field` at byte `offset`: …". */
export interface DecodeError {
  /** Bytes from the start of the request; the lowest one at which it is wrong, 0 where JSON does not tell. */
  readonly offset: number;
  /** Path such as `resourceSpans[0].scopeSpans[2].spans[17].attributes[3]`; `request` for the request itself. */
  readonly field: string;
  readonly message: string;
}

/**
 * Thrown inside this room and caught in `decoder.ts`, so that the readers need not test every step. Not an Error: a stack trace would cost
 * more than refusing the request, and a sender chooses how often that happens.
 */
export class Malformation {
  readonly offset: number;
  readonly message: string;
  /** Path, where the thrower knows it. */
  readonly field: string;

  constructor(offset: number, message: string, field = 'request') {
    this.offset = offset;
    this.message = message;
    this.field = field;
  }
}
