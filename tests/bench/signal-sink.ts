/** A deploy system's webhook that only notes when each signal came. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ArrivedSignal {
  /** By `performance.now()`. */
  readonly arrivedAt: number;
  readonly rolloutId: string;
  readonly action: string;
  readonly reason: string;
  readonly evidenceAtMs: number;
  /** From the decision, as the message says, to its first byte here; the clock of both is this machine's, in whole ms. */
  readonly sinceDecisionMs: number;
}

interface Message {
  readonly timestamp: string;
  readonly data: Readonly<Record<string, string>>;
}

export class SignalSink {
  /** Told of every request, repeated ones too. */
  heard: (signal: ArrivedSignal) => void = () => {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const arrivedAt = performance.now();
      const cameAtMs = Date.now();
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(204).end();
        const { data, timestamp } = JSON.parse(Buffer.concat(chunks).toString()) as Message;
        const { rolloutId = '', action = '', reason = '', evidenceAt = '' } = data;
        this.heard({
          arrivedAt,
          rolloutId,
          action,
          reason,
          evidenceAtMs: Date.parse(evidenceAt),
          sinceDecisionMs: cameAtMs - Date.parse(timestamp),
        });
      });
    });
  }

  static async listen(): Promise<SignalSink> {
    const sink = new SignalSink();
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
