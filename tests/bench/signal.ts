/** How soon a rollback leaves once the evidence for it may be judged: the whole service under load, from the span on the wire to the webhook. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { Children } from '../demo/children.ts';
import { type Ports, SlipstreamApi, slipstreamPorts } from '../demo/slipstream.ts';
import type { Figure } from './figure.ts';
import { SignalLoad } from './signal-load.ts';
import { SignalSink } from './signal-sink.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const END_WITH_PARENT = fileURLToPath(new URL('../demo/end-with-parent.ts', import.meta.url));
const READY_WITHIN_MS = 20_000;

export async function benchSignal(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipstream-signal-'));
  const ports = await slipstreamPorts();
  const sink = await SignalSink.listen();
  const children = new Children((message) => console.error(message));
  try {
    const config = join(folder, 'slipstream.yaml');
    await writeFile(config, configOf(folder, ports, sink.url));
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const env = { ...process.env, SLIPSTREAM_WEBHOOK_SECRET: secret };
    const args = ['serve', '--config', config];
    const child = children.start({ name: 'slipstream', module: MAIN, args, env, heard: () => {}, execArgv: ['--import', END_WITH_PARENT] });
    await new SlipstreamApi(ports.api).ready(READY_WITHIN_MS);
    const load = new SignalLoad(ports, sink);
    const outcome = await load.run();
    if (outcome.latenciesMs.length === 0) throw new Error(['no signal left', ...child.output].join('\n  '));
    return figures(outcome);
  } finally {
    await children.stop();
    await sink.close();
    await rm(folder, { recursive: true });
  }
}

function figures({ latenciesMs, sinceDecisionsMs, spansPerSecond, refused }: Awaited<ReturnType<SignalLoad['run']>>): Figure[] {
  return [
    { name: 'signal/arrival to wire, p50', unit: 'ms', value: quantile(latenciesMs, 0.5) },
    { name: 'signal/arrival to wire, p99', unit: 'ms', value: quantile(latenciesMs, 0.99), goal: '<= 1000' },
    { name: 'signal/decision to first byte, p50', unit: 'ms', value: quantile(sinceDecisionsMs, 0.5) },
    { name: 'signal/decision to first byte, p99', unit: 'ms', value: quantile(sinceDecisionsMs, 0.99), goal: '<= 50' },
    { name: 'signal/signals', unit: 'signals', value: latenciesMs.length },
    { name: 'signal/load', unit: 'spans/s', value: spansPerSecond, goal: '~ 20,000' },
    { name: 'signal/refused requests', unit: 'requests', value: refused, goal: '0' },
  ];
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] as number;
}

/** Short times and no brakes: every run must get as far as its signal. */
function configOf(folder: string, ports: Ports, url: string): string {
  const process = {
    receivers: { otlpGrpc: { port: ports.grpc }, otlpHttp: { port: ports.http } },
    api: { port: ports.api },
    state: { directory: join(folder, 'state') },
    spans: { releaseBy: ['service.version'] },
    sinks: [{ type: 'webhook', name: 'deployer', url, secrets: [{ env: 'SLIPSTREAM_WEBHOOK_SECRET' }] }],
    telemetry: { logLevel: 'warn' },
  };
  const defaults = {
    apiVersion: 'slipstream.dev/v1',
    kind: 'Defaults',
    metadata: { name: 'bench' },
    spec: {
      canary: { mode: 'rollback', warmup: '1s', minPromote: '1h', minRequests: 50, incidentWindow: '1s', coolDown: '0s' },
      maxRollbacksPerHour: 1000,
      commonCause: { services: 0 },
    },
  };
  return [process, defaults].map((document) => stringify(document)).join('---\n');
}
