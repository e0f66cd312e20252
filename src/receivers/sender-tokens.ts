/** Who may send: whoever presents one of the bearer tokens that are configured. */
import type { Secret } from '../config/secret.ts';
import { Seldom } from '../telemetry/seldom.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { bearerOf, KnownTokens } from '../tls/bearer-token.ts';
import type { Transport } from './receiver.ts';

/** One for all receivers of OTLP. */
export class SenderTokens {
  /** Null: none is asked. */
  #known: KnownTokens | null = null;
  readonly #telemetry: Telemetry;
  /** Senders try again and again. */
  readonly #told = new Seldom<'refused'>();

  constructor(tokens: readonly Secret[] | null, telemetry: Telemetry) {
    this.#telemetry = telemetry;
    this.replace(tokens);
  }

  /** From now on these are asked for; null: none is. */
  replace(tokens: readonly Secret[] | null): void {
    this.#known = tokens && new KnownTokens(tokens);
  }

  /** `authorization` as it was sent; `peer` is the address of the sender, for the log. */
  admits(authorization: string | undefined, transport: Transport, peer: string | undefined): boolean {
    if (this.#known === null || this.#known.has(bearerOf(authorization))) return true;
    if (this.#told.isDue('refused')) {
      this.#telemetry.log.warn({ transport, ...(peer !== undefined && { peer }) }, 'a sender presents no valid token');
    }
    return false;
  }
}
