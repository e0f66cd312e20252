/** Slipstream as the demo runs it: its own process on free loopback ports, asked over its API. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExplainedRunWire, StatusWire } from '../../src/api/schemas.ts';
import { freePorts } from '../support/free-ports.ts';

/** The table shows the last few seconds, so that traffic is seen to move. */
const STATUS_WINDOW = '5s';
const ASK_TIMEOUT_MS = 3000;

export interface Ports {
  readonly grpc: number;
  readonly http: number;
  readonly api: number;
}

export async function slipstreamPorts(): Promise<Ports> {
  const [grpc = 0, http = 0, api = 0] = await freePorts(3);
  return { grpc, http, api };
}

export class SlipstreamApi {
  readonly url: string;

  constructor(port: number) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Resolves once the service says it is ready. */
  async ready(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    let last = 'no answer';
    while (performance.now() < deadline) {
      try {
        const response = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
        if (response.ok) return;
        last = `${response.status} ${await response.text()}`;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
      await sleep(50);
    }
    throw new Error(`Slipstream was not ready within ${withinMs / 1000} s: ${last}`);
  }

  async status(): Promise<StatusWire> {
    return (await this.#ask(`/v1/status?window=${STATUS_WINDOW}`)) as StatusWire;
  }

  async run(id: string): Promise<ExplainedRunWire> {
    return (await this.#ask(`/v1/rollouts/${encodeURIComponent(id)}`)) as ExplainedRunWire;
  }

  async #ask(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`asking Slipstream for ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}
