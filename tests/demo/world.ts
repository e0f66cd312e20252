/** Everything the story plays in: Slipstream, the deploy system and both halves of the shop, each a process of its own. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunWire } from '../../src/api/schemas.ts';
import type { BrokerReport } from './broker-process.ts';
import type { Children } from './children.ts';
import type { DeployCommand, DeployReport } from './deploy-messages.ts';
import type { DeployEvent } from './deploy-server.ts';
import type { GatewayReport } from './gateway-process.ts';
import type { ShopCommand, ShopReport } from './shop-messages.ts';
import { type Ports, SlipstreamApi, slipstreamPorts } from './slipstream.ts';
import { writeConfig, writeKafkaConfig } from './slipstream-config.ts';
import type { Behaviour } from './traffic.ts';

const BASELINE = '1.4.2';
const CANARY = '1.5.0';
const READY_WITHIN_MS = 20_000;

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export interface WorldPlan {
  readonly children: Children;
  /** For the configuration and the state; empty. */
  readonly folder: string;
  /** Where Slipstream keeps the spans it receives; null: nowhere. */
  readonly record: string | null;
  /** Spans go through a real Kafka broker, and two processes share the work. */
  readonly isOnKafka: boolean;
  readonly deployed: (event: DeployEvent) => void;
  readonly firstBad: (atMs: number, endpoint: string) => void;
}

export interface World {
  readonly api: SlipstreamApi;
  /** What Slipstream was asked to judge. */
  readonly rollouts: readonly RunWire['rollout'][];
  /** Changes what is wrong with the canary. */
  behave(behaviour: Behaviour): void;
  /** Starts a rollout with this share of traffic and returns the id of its analysis run. */
  roll(canaryWeight: number, decideWithinMs: number): Promise<string>;
  /** Spans sent so far by all of the shop. */
  spansSent(): number;
}

/** Resolves when all are up and traffic flows. The deploy system's address and Slipstream's must be known to each other, hence the order. */
export async function openWorld({ children, folder, record, isOnKafka, deployed, firstBad }: WorldPlan): Promise<World> {
  const env = { ...cleanEnv(), SLIPSTREAM_WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}` };
  const ports = await slipstreamPorts();
  const api = new SlipstreamApi(ports.api);

  const rollouts: RunWire['rollout'][] = [];
  const deployListens = Promise.withResolvers<string>();
  const deploy = children.start({
    name: 'deploy system',
    module: here('deploy-system.ts'),
    args: ['checkout', BASELINE, CANARY],
    env,
    heard: (message) => {
      const report = message as DeployReport | DeployEvent;
      if (report.kind === 'listening') deployListens.resolve(report.url);
      else if (report.kind === 'run_started') rollouts.push(report.rollout);
      else deployed(report);
    },
  });
  const deployUrl = await deployListens.promise;
  deploy.process.send({ kind: 'slipstream', url: api.url } satisfies DeployCommand);

  const webhookUrl = `${deployUrl}/webhooks/slipstream`;
  const otlpUrl = isOnKafka
    ? await openKafka({ children, folder, env, webhookUrl, ports })
    : await openAlone({ children, folder, env, webhookUrl, ports, record });
  await api.ready(READY_WITHIN_MS);

  const openShop = (release: 'baseline' | 'canary'): Shop => {
    const shop = { spans: 0, ready: Promise.withResolvers<void>() };
    const child = children.start({
      name: `shop (${release})`,
      module: here('shop-process.ts'),
      args: [release, release === 'canary' ? CANARY : BASELINE, otlpUrl, `${deployUrl}/weights`],
      env,
      heard: (message) => {
        const report = message as ShopReport;
        if (report.kind === 'ready') shop.ready.resolve();
        else if (report.kind === 'totals') shop.spans = report.spans;
        else firstBad(report.atMs, report.endpoint);
      },
    });
    return { ready: shop.ready.promise, spans: () => shop.spans, send: (command) => void child.process.send(command) };
  };
  const baseline = openShop('baseline');
  const canary = openShop('canary');
  await Promise.all([baseline.ready, canary.ready]);

  return {
    api,
    rollouts,
    behave: (behaviour) => canary.send({ kind: 'behave', behaviour }),
    roll: (canaryWeight, decideWithinMs) => startRollout(deployUrl, canaryWeight, decideWithinMs),
    spansSent: () => baseline.spans() + canary.spans(),
  };
}

interface SlipstreamPlan extends Pick<WorldPlan, 'children' | 'folder'> {
  readonly env: NodeJS.ProcessEnv;
  readonly webhookUrl: string;
  readonly ports: Ports;
}

/** One process that does all; returns where it takes OTLP. */
async function openAlone({
  children,
  folder,
  env,
  webhookUrl,
  ports,
  record,
}: SlipstreamPlan & Pick<WorldPlan, 'record'>): Promise<string> {
  const config = await writeConfig(folder, ports, webhookUrl);
  serve(children, env, 'slipstream', ['--config', config, ...(record === null ? [] : ['--record', record])]);
  return `http://127.0.0.1:${ports.grpc}`;
}

/** A broker, a gateway that writes to it, a process that counts and one that judges; returns where the gateway takes OTLP. */
async function openKafka({ children, folder, env, webhookUrl, ports }: SlipstreamPlan): Promise<string> {
  const broker = Promise.withResolvers<string>();
  children.start({
    name: 'kafka',
    module: here('broker-process.ts'),
    args: [join(folder, 'kafka')],
    env: process.env,
    heard: (message) => broker.resolve((message as BrokerReport).address),
  });
  const address = await broker.promise;
  const gateway = Promise.withResolvers<string>();
  children.start({
    name: 'gateway',
    module: here('gateway-process.ts'),
    args: [address, 'otlp_spans'],
    env,
    heard: (message) => gateway.resolve((message as GatewayReport).url),
  });
  const url = await gateway.promise;
  const config = await writeKafkaConfig(folder, ports, webhookUrl, address);
  serve(children, env, 'slipstream (evaluate)', ['--role', 'evaluate', '--config', config.evaluate]);
  serve(children, env, 'slipstream (ingest)', ['--role', 'ingest', '--config', config.ingest]);
  return url;
}

function serve(children: Children, env: NodeJS.ProcessEnv, name: string, args: readonly string[]): void {
  const execArgv = ['--import', new URL('end-with-parent.ts', import.meta.url).href];
  children.start({ name, module: here('../../src/main.ts'), args: ['serve', ...args], env, heard: () => {}, execArgv });
}

interface Shop {
  readonly ready: Promise<void>;
  spans(): number;
  send(command: ShopCommand): void;
}

async function startRollout(deployUrl: string, canaryWeight: number, decideWithinMs: number): Promise<string> {
  const response = await fetch(`${deployUrl}/rollouts`, { method: 'POST', body: JSON.stringify({ canaryWeight, decideWithinMs }) });
  const answer = (await response.json()) as { runId?: string; error?: string };
  if (!response.ok || answer.runId === undefined) throw new Error(`starting the rollout: ${answer.error ?? response.status}`);
  return answer.runId;
}

/** The user's environment without OpenTelemetry or Slipstream settings of their own, and SDKs that export twice a second. */
function cleanEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([key]) => !key.startsWith('OTEL_') && !key.startsWith('SLIPSTREAM_'));
  return {
    ...Object.fromEntries(kept),
    OTEL_BSP_SCHEDULE_DELAY: '500',
    OTEL_BSP_MAX_QUEUE_SIZE: '16384',
    OTEL_NODE_RESOURCE_DETECTORS: 'env',
  };
}
