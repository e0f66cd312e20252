/** A server that answers as a test says, in place of an API server. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface OddServer {
  readonly url: string;
  /** Requests whose body has come whole, in order. */
  readonly asked: readonly Asked[];
  /** Connections that were opened so far. */
  readonly connections: () => number;
}

/** `answer` is called with the number of the request, from 0. What it leaves open stays open until the end of the test. */
export async function oddServer(answer: (response: ServerResponse, asked: Asked, count: number) => void): Promise<OddServer> {
  const asked: Asked[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    try {
      for await (const piece of request.setEncoding('utf8')) body += piece;
    } catch {
      return;
    }
    const one = { method: request.method ?? '', url: new URL(request.url ?? '', 'http://server'), headers: request.headers, body };
    asked.push(one);
    answer(response, one, asked.length - 1);
  });
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listening: no port was given');
  return { url: `http://127.0.0.1:${address.port}`, asked, connections: () => connections };
}

/** One answer as a whole. */
export function json(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}
