/** A deploy system that is not reliable: answers 503, or acts and never answers; it acts upon an id once, and looks into the sender's journal as each request comes in. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Webhook } from 'standardwebhooks';
import { seededRandom } from '../demo/random.ts';

export interface Effect {
  readonly id: string;
  readonly rolloutId: string;
  readonly body: string;
}

export interface FlakyOptions {
  readonly seed: number;
  readonly secret: string;
  /** Folder of the sender's state. */
  readonly stateFolder: string;
  /** Of the requests: refused for now, and acted upon without an answer. */
  readonly unavailableRatio: number;
  readonly lostRatio: number;
}

export class FlakyRecorder {
  /** By id. */
  readonly effects = new Map<string, Effect>();
  /** Ids of which some request had other bytes than the first. */
  readonly altered = new Set<string>();
  /** Requests that came before the journal had them as sent. */
  readonly unjournalled: string[] = [];
  /** Requests with a signature that is not good. */
  forged = 0;
  requests = 0;
  /** Requests of what had taken effect already. */
  repeats = 0;
  readonly #digests = new Map<string, string>();
  readonly #server: Server;
  #journal: StatementSync | null = null;

  private constructor({ seed, secret, stateFolder, unavailableRatio, lostRatio }: FlakyOptions) {
    const random = seededRandom(seed);
    const webhook = new Webhook(secret);
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const id = String(request.headers['webhook-id']);
        this.requests++;
        if (!this.#isJournalled(stateFolder, id)) this.unjournalled.push(id);
        try {
          webhook.verify(body, request.headers as Record<string, string>);
        } catch {
          this.forged++;
        }
        const digest = createHash('sha256').update(body).digest('hex');
        if ((this.#digests.get(id) ?? digest) !== digest) this.altered.add(id);
        this.#digests.set(id, digest);
        const chance = random();
        if (chance < unavailableRatio) {
          response.writeHead(503).end();
          return;
        }
        if (this.effects.has(id)) this.repeats++;
        else this.effects.set(id, { id, rolloutId: JSON.parse(body).data.rolloutId, body });
        if (chance < unavailableRatio + lostRatio) response.destroy();
        else response.writeHead(204).end();
      });
    });
  }

  static async listen(options: FlakyOptions): Promise<FlakyRecorder> {
    const recorder = new FlakyRecorder(options);
    await new Promise<void>((resolve) => recorder.#server.listen(0, '127.0.0.1', resolve));
    return recorder;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/signals`;
  }

  /** From another process: only what is written there for good is seen. */
  #isJournalled(folder: string, id: string): boolean {
    try {
      this.#journal ??= new DatabaseSync(join(folder, 'slipstream.db'), { readOnly: true }).prepare(
        'select state, attempts from deliveries where signal_id = ?',
      );
      const row = this.#journal.get(id);
      return row !== undefined && row.state !== 'pending' && Number(row.attempts) > 0;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
