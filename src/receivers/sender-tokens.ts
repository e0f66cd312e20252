/** Who may send: one of the bearer tokens that are configured, compared in a time that tells nothing about them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../config/secret.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Transport } from './receiver.ts';

/** Senders try again and again: one line a minute says so. */
const TELL_EVERY_MS = 60_000;

/** One for all receivers of OTLP. */
export class SenderTokens {
  /** Null: none is asked. */
  #digests: readonly Buffer[] | null = null;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  readonly #telemetry: Telemetry;

  constructor(tokens: readonly Secret[] | null, telemetry: Telemetry) {
    this.#telemetry = telemetry;
    this.replace(tokens);
  }

  /** From now on these are asked for; null: none is. */
  replace(tokens: readonly Secret[] | null): void {
    this.#digests = tokens === null ? null : tokens.map((token) => digestOf(token.reveal()));
  }

  /** `authorization` as it was sent; `peer` is the address of the sender, for the log. */
  admits(authorization: string | undefined, transport: Transport, peer: string | undefined): boolean {
    if (this.#digests === null) return true;
    const given = /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
    const digest = digestOf(given ?? '');
    let isKnown = false;
    // All are compared, whichever it is.
    for (const known of this.#digests) isKnown = timingSafeEqual(known, digest) || isKnown;
    if (isKnown && given !== undefined) return true;
    this.#tell(transport, peer);
    return false;
  }

  #tell(transport: Transport, peer: string | undefined): void {
    const atMs = performance.now();
    if (atMs - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = atMs;
    this.#telemetry.log.warn({ transport, ...(peer !== undefined && { peer }) }, 'a sender presents no valid token');
  }
}

/** Of one length, whatever was sent. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
