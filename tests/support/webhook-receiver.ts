/** A deploy system's webhook endpoint on a free loopback port: keeps what came, answers as told, and verifies signatures with an independent library. */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { Webhook } from 'standardwebhooks';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly id: string;
  /** Seconds. */
  readonly timestamp: number;
  readonly body: string;
  /** For each secret of the receiver, whether one of the request's signatures was made with it. */
  readonly verified: readonly boolean[];
}

/**
 * `lost`: processed, but the connection breaks before an answer. `silent`: no answer at all. `stuck`: 200, then one byte of a
 * body and no more. `flood`: 200, then a body without end.
 */
export type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'lost'
  | 'silent'
  | 'stuck'
  | 'flood';

export class WebhookReceiver {
  readonly requests: ReceivedRequest[] = [];
  readonly #server: Server;
  readonly #arrivals = new EventEmitter();
  #answer: (request: ReceivedRequest, index: number) => Answer = () => ({ status: 204 });

  private constructor(secrets: readonly string[]) {
    const webhooks = secrets.map((secret) => new Webhook(secret));
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const header = (name: string) => String(request.headers[name] ?? '');
        const id = header('webhook-id');
        const timestamp = Number(header('webhook-timestamp'));
        const signatures = header('webhook-signature').split(' ');
        const verified = webhooks.map((webhook) => signatures.includes(webhook.sign(id, new Date(timestamp * 1_000), body)));
        const { method = '', url: path = '', headers } = request;
        const received = { method, path, headers, id, timestamp, body, verified };
        this.requests.push(received);
        this.#arrivals.emit('arrival');
        respond(response, this.#answer(received, this.requests.length - 1));
      });
    });
  }

  static async listen(secrets: readonly string[] = []): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver(secrets);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/signals`;
  }

  /** Answers from now on; `index` counts requests from 0. Until told otherwise every request is answered with 204. */
  answer(answer: (request: ReceivedRequest, index: number) => Answer): void {
    this.#answer = answer;
  }

  /** Resolves once so many requests have come in all. */
  async received(count: number): Promise<void> {
    while (this.requests.length < count) await once(this.#arrivals, 'arrival');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function respond(response: ServerResponse, answer: Answer): void {
  if (answer === 'silent') return;
  if (answer === 'lost') {
    response.destroy();
  } else if (answer === 'stuck') {
    response.writeHead(200).write('x');
  } else if (answer === 'flood') {
    const more = Buffer.alloc(65_536, 'x');
    Readable.from(
      (function* () {
        while (true) yield more;
      })(),
    ).pipe(response.writeHead(200));
  } else {
    response.writeHead(answer.status, answer.headers ?? {}).end(answer.body);
  }
}
