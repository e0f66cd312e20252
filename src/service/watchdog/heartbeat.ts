/** Tells somebody outside that all is well, so that silence raises an alarm there: a dead man's switch. */
import type { Secret } from '../../config/secret.ts';
import type { EpochMs } from '../../model/time.ts';
import { HttpClient, type HttpClientParts } from '../../sinks/http/http-client.ts';
import { requireDelivered } from '../../sinks/http/require-delivered.ts';
import type { Clock } from '../clock.ts';

const TIMEOUT_MS = 4_000;
const ACT = 'sending the heartbeat';

export class Heartbeat {
  readonly #url: URL;
  readonly #client: HttpClient;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #stopping = new AbortController();

  /** `network` replaces the system's resolver and certificates. */
  constructor(url: Secret, clock: Pick<Clock, 'now'>, network: Pick<HttpClientParts, 'resolve' | 'ca'> = {}) {
    this.#url = new URL(url.reveal());
    this.#clock = clock;
    this.#client = new HttpClient({ timeoutMs: TIMEOUT_MS, networks: null, ...network });
  }

  /** Null, or why it was not taken; the address is not part of it. Never rejects. */
  async send(at: EpochMs): Promise<string | null> {
    try {
      const answer = await this.#client.post({
        url: this.#url,
        headers: { 'content-type': 'application/json', 'user-agent': 'slipstream' },
        body: JSON.stringify({ type: 'slipstream.heartbeat', timestamp: new Date(at).toISOString() }),
        act: ACT,
        abort: this.#stopping.signal,
        mayStillAct: () => true,
      });
      requireDelivered(answer, ACT, this.#clock.now());
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#client.close();
  }
}
