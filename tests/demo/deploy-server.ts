/** The deploy system's HTTP side: rollouts in, weights out, and a webhook that believes nothing without a valid signature. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { DeployState, type SignalEffect, type SignalMessage, signalMessage } from './deploy-state.ts';

/** What happened, for whoever watches. */
export type DeployEvent =
  | { readonly kind: 'rollout_started'; readonly generation: number; readonly canaryWeight: number; readonly runId: string }
  | { readonly kind: 'signal_refused'; readonly why: string; readonly status: number }
  | {
      readonly kind: 'signal';
      readonly effect: SignalEffect;
      readonly receivedAtMs: number;
      readonly messageId: string;
      readonly canaryWeight: number;
      readonly signal: SignalMessage;
      /** The request's body, byte by byte as signed. */
      readonly body: string;
    };

export interface DeployServerOptions {
  readonly service: string;
  /** Standard Webhooks secret, `whsec_…`. */
  readonly secret: string;
  /** Asks Slipstream to judge the attempt and returns the id of the analysis run. */
  readonly judge: (generation: number, request: StartRequest) => Promise<string>;
  readonly tell: (event: DeployEvent) => void;
}

const startRequest = z.strictObject({ canaryWeight: z.number().min(0).max(1), decideWithinMs: z.number().positive() });
export type StartRequest = z.infer<typeof startRequest>;

const MAX_BODY_BYTES = 64 * 1024;

/** Refusals are final: a stale or late signal stays so however often it is sent again. */
const STATUS: Readonly<Record<SignalEffect, number>> = {
  moved_back: 200,
  promoted: 200,
  held: 200,
  duplicate: 200,
  stale_generation: 409,
  too_late: 409,
  unknown_service: 404,
};

export interface DeployServer {
  readonly url: string;
  readonly state: DeployState;
  stop(): Promise<void>;
}

/** Listens on a free loopback port. */
export async function startDeployServer(options: DeployServerOptions): Promise<DeployServer> {
  const state = new DeployState(options.service);
  const webhook = new Webhook(options.secret);
  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      const isTheirs = error instanceof SyntaxError || error instanceof z.ZodError;
      const status = error instanceof BodyTooLarge ? 413 : isTheirs ? 400 : 502;
      answer(response, status, { error: error instanceof Error ? error.message : String(error) });
    });
  });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const key = `${request.method} ${pathname}`;
    if (key === 'GET /weights') {
      answer(response, 200, { generation: state.generation, canaryWeight: state.canaryWeight });
    } else if (key === 'POST /rollouts') {
      const wanted = startRequest.parse(JSON.parse(await bodyOf(request)));
      const generation = state.start(wanted.canaryWeight);
      const runId = await options.judge(generation, wanted);
      options.tell({ kind: 'rollout_started', generation, canaryWeight: state.canaryWeight, runId });
      answer(response, 201, { generation, runId });
    } else if (key === 'POST /webhooks/slipstream') {
      signalArrived(request, response, await bodyOf(request));
    } else {
      answer(response, 404, { error: `nothing at ${key}` });
    }
  }

  function signalArrived(request: IncomingMessage, response: ServerResponse, body: string): void {
    const receivedAtMs = Date.now();
    const headers = {
      'webhook-id': oneHeader(request, 'webhook-id'),
      'webhook-timestamp': oneHeader(request, 'webhook-timestamp'),
      'webhook-signature': oneHeader(request, 'webhook-signature'),
    };
    const verified = verify(body, headers);
    if (verified instanceof Error) {
      refuse(response, 401, verified.message);
      return;
    }
    const message = signalMessage.safeParse(verified);
    if (!message.success) {
      refuse(response, 422, z.prettifyError(message.error));
      return;
    }
    const signal = message.data.data;
    const effect = state.apply(headers['webhook-id'], signal, receivedAtMs);
    const { canaryWeight } = state;
    options.tell({ kind: 'signal', effect, receivedAtMs, messageId: headers['webhook-id'], canaryWeight, signal, body });
    answer(response, STATUS[effect], { effect, canaryWeight });
  }

  function verify(body: string, headers: Record<string, string>): unknown {
    try {
      return webhook.verify(body, headers);
    } catch (error) {
      return error instanceof Error ? error : new Error('the signature is not valid');
    }
  }

  function refuse(response: ServerResponse, status: number, why: string): void {
    options.tell({ kind: 'signal_refused', why, status });
    answer(response, status, { error: why });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, state, stop: () => closed(server) };
}

class BodyTooLarge extends Error {}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES) throw new BodyTooLarge(`the body has more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function oneHeader(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
