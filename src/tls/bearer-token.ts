/** Bearer tokens: what a caller presents, and whether it is one of those that are known. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../config/secret.ts';

/** The token of an `authorization` header; undefined: there is none. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
}

/** Tokens, compared in a time that tells nothing about them. */
export class KnownTokens {
  readonly #digests: readonly Buffer[];

  constructor(tokens: readonly Secret[]) {
    this.#digests = tokens.map((token) => digestOf(token.reveal()));
  }

  has(given: string | undefined): boolean {
    const digest = digestOf(given ?? '');
    let isKnown = false;
    // All are compared, whichever it is.
    for (const known of this.#digests) isKnown = timingSafeEqual(known, digest) || isKnown;
    return isKnown && given !== undefined;
  }
}

/** Of one length, whatever was sent. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
