/** Members of both roles as processes of their own on one broker: started, killed, started again. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { processDocument } from '../../service/config.ts';
import { Running } from '../../service/running.ts';
import { SERVICES, serviceName } from './numbered-spans.ts';

export type Role = 'ingest' | 'evaluate';

export interface FleetOptions {
  readonly broker: string;
  readonly folder: string;
  readonly webhookUrl: string;
  readonly deltaPartitions: number;
}

export class Fleet {
  readonly members = new Map<string, Running>();
  readonly #options: FleetOptions;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Starts without waiting. A name that was used before starts that member again. */
  start(role: Role, name: string): Running {
    const folder = join(this.#options.folder, name);
    mkdirSync(folder, { recursive: true });
    const member = new Running({ folder, config: this.#documents(role), args: ['--role', role] });
    this.members.set(name, member);
    return member;
  }

  /** Member names of a role that run now. */
  of(role: Role): readonly string[] {
    return [...this.members.keys()].filter((name) => name.startsWith(role));
  }

  async kill(name: string): Promise<void> {
    const member = this.members.get(name);
    this.members.delete(name);
    await member?.kill();
  }

  /** As an operator scales in. */
  async leave(name: string): Promise<void> {
    const member = this.members.get(name);
    this.members.delete(name);
    await member?.stop();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.members.keys()].map((name) => this.leave(name)));
  }

  /** Some member that judges and answers. */
  judge(): Running {
    const [name = ''] = this.of('evaluate');
    const member = this.members.get(name);
    if (member === undefined) throw new Error('no member judges');
    return member;
  }

  #documents(role: Role): object[] {
    const { broker, webhookUrl, deltaPartitions } = this.#options;
    const process = {
      ...processDocument({ webhookUrl }),
      kafka: {
        brokers: [broker],
        partitions: deltaPartitions,
        replicationFactor: 1,
        sessionTimeout: '6s',
      },
      receivers: {
        otlpGrpc: { enabled: false },
        otlpHttp: { enabled: false },
        ...(role === 'ingest' && { kafka: { enabled: true, topics: ['otlp_spans'], from: 'earliest' } }),
      },
    };
    return [process, ...policies()];
  }
}

/** Every service of the fleet with an objective of its own, and canaries that may be rolled back. */
export function policies(): object[] {
  return Array.from({ length: SERVICES }, (_, index) => ({
    apiVersion: 'slipstream.dev/v1',
    kind: 'ServiceObjectives',
    metadata: { name: serviceName(index) },
    spec: {
      service: serviceName(index),
      window: '28d',
      objectives: [{ availability: '99%' }],
      canary: {
        mode: 'rollback',
        warmup: '0s',
        minPromote: '1m',
        minRequests: 50,
        incidentWindow: '1s',
        freshness: '60s',
        coolDown: '0s',
      },
    },
  }));
}
