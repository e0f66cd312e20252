/** A real API over a service in memory, and the command line in front of it, for the commands of operators and pipelines. */
import { afterEach, beforeEach } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { Secret } from '../../src/config/secret.ts';
import { MemoryService, NOW } from '../api/memory-service.ts';
import { rememberingTelemetry } from '../api/remembering-telemetry.ts';
import { type Ran, ran } from './streams.ts';

export const TOKEN = 'a-token-of-some-length';

export class OperatorStand {
  service = new MemoryService();
  url = '';
  #api: Api | null = null;

  /** Each test of the file gets a new service. */
  static forEach(): OperatorStand {
    const stand = new OperatorStand();
    beforeEach(async () => {
      stand.service = new MemoryService();
      await stand.start(0);
    });
    afterEach(() => stand.stop());
    return stand;
  }

  /** Port 0 takes a free one. */
  async start(port: number): Promise<void> {
    const config = { host: '127.0.0.1', port, publicUrl: null, token: new Secret(TOKEN) };
    this.#api = createApi(this.service, config, rememberingTelemetry().telemetry, () => NOW);
    this.url = (await this.#api.start()).address;
  }

  async stop(): Promise<void> {
    await this.#api?.stop();
    this.#api = null;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** With the token in the environment. */
  run(...argv: string[]): Promise<Ran> {
    return ran(argv, { SLIPSTREAM_URL: this.url, SLIPSTREAM_API_TOKEN: TOKEN });
  }
}
