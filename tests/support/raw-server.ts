/** A TCP server on a free loopback port that answers bytes as it is told, for what no well-behaved HTTP server would do. */
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface RawConnection {
  readonly socket: Socket;
  /** All that has come, as latin1. */
  text: string;
}

export class RawServer {
  readonly connections: RawConnection[] = [];
  readonly #server: Server;
  readonly #events = new EventEmitter();

  private constructor(onRequest: (connection: RawConnection, index: number) => void, onConnection: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      const connection: RawConnection = { socket, text: '' };
      const index = this.connections.push(connection) - 1;
      socket.on('error', () => {});
      socket.on('close', () => this.#events.emit('change'));
      socket.on('data', (chunk) => {
        const requests = wholeRequests(connection.text);
        connection.text += chunk.toString('latin1');
        if (wholeRequests(connection.text) > requests) onRequest(connection, index);
        this.#events.emit('change');
      });
      onConnection(socket);
      this.#events.emit('change');
    });
  }

  /** `onRequest` is called with each request that has come wholly. */
  static async listen(
    onRequest: (connection: RawConnection, index: number) => void,
    {
      host = '127.0.0.1',
      port = 0,
      onConnection = () => {},
    }: { host?: string; port?: number; onConnection?: (socket: Socket) => void } = {},
  ): Promise<RawServer> {
    const server = new RawServer(onRequest, onConnection);
    server.#server.listen(port, host);
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Requests that have come wholly. */
  get requests(): number {
    return this.connections.reduce((sum, { text }) => sum + wholeRequests(text), 0);
  }

  /** Resolves once the condition holds; it is looked at whenever something happens. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await once(this.#events, 'change');
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Requests with a content-length, as our client sends them. */
function wholeRequests(text: string): number {
  let count = 0;
  for (let rest = text; ; count++) {
    const head = rest.indexOf('\r\n\r\n');
    if (head < 0) return count;
    const length = Number(/content-length: (\d+)/i.exec(rest.slice(0, head))?.[1] ?? 0);
    if (rest.length < head + 4 + length) return count;
    rest = rest.slice(head + 4 + length);
  }
}
