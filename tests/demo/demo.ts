/** The demo: a shop, a deploy system and Slipstream in processes of their own, a story told on the terminal, and an exit code. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunWire } from '../../src/api/schemas.ts';
import { Children } from './children.ts';
import type { DeployCommand, DeployReport } from './deploy-messages.ts';
import type { DeployEvent } from './deploy-server.ts';
import { type DemoOptions, parseOptions, USAGE } from './options.ts';
import { keepForReplay } from './recording.ts';
import { judgeStory, SCENARIOS, timetable } from './scenarios.ts';
import { Screen } from './screen.ts';
import type { ShopCommand, ShopReport } from './shop-messages.ts';
import { freePorts, SlipstreamApi } from './slipstream.ts';
import { writeConfig } from './slipstream-config.ts';
import { Story } from './story.ts';
import { summary } from './summary.ts';

const BASELINE = '1.4.2';
const CANARY = '1.5.0';
const READY_WITHIN_MS = 20_000;

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const parsed = parseOptions(process.argv.slice(2));
switch (parsed.kind) {
  case 'help':
    process.stdout.write(USAGE);
    break;
  case 'wrong':
    process.stderr.write(`${parsed.why}\n\n${USAGE}`);
    process.exitCode = 2;
    break;
  case 'run':
    // What an interrupted story still waits for must not keep the terminal.
    process.exit(await main(parsed.options));
    break;
  default:
    parsed satisfies never;
}

async function main(options: DemoOptions): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'slipstream-demo-'));
  const interrupted = new AbortController();
  const children = new Children((why) => interrupted.abort(new Error(why)));
  const onSignal = (signal: NodeJS.Signals): void => interrupted.abort(new Interrupted(signal));
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return await Promise.race([demo(options, folder, children), rejection(interrupted.signal)]);
  } catch (error) {
    if (error instanceof Interrupted) {
      process.stdout.write(`\nstopped by ${error.signal}\n`);
      return error.signal === 'SIGINT' ? 130 : 143;
    }
    process.stderr.write(`\nThe demo broke down: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await children.stop();
    await rm(folder, { recursive: true, force: true });
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

async function demo(options: DemoOptions, folder: string, children: Children): Promise<number> {
  const scenario = SCENARIOS[options.scenario];
  const screen = new Screen(process.stdout, process.env);
  screen.say(`${screen.paint('Slipstream demo', 'strong')}: ${scenario.plot}`);

  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const env = { ...childEnv(), SLIPSTREAM_WEBHOOK_SECRET: secret };
  const ports = await freePorts();
  const api = new SlipstreamApi(ports.api);

  let story: Story | null = null;
  const rollouts: RunWire['rollout'][] = [];
  const deployListens = Promise.withResolvers<string>();
  const deploy = children.start('deploy system', here('deploy-system.ts'), ['checkout', BASELINE, CANARY], env, (message) => {
    const report = message as DeployReport | DeployEvent;
    if (report.kind === 'listening') deployListens.resolve(report.url);
    else if (report.kind === 'run_started') rollouts.push(report.rollout);
    else story?.deployed(report);
  });
  const deployUrl = await deployListens.promise;
  const toDeploy = (command: DeployCommand): unknown => deploy.process.send(command);
  toDeploy({ kind: 'slipstream', url: api.url });

  const configFile = await writeConfig(folder, ports, `${deployUrl}/webhooks/slipstream`);
  const record = options.record === null ? null : resolve(options.record);
  const serve = ['serve', '--config', configFile, ...(record === null ? [] : ['--record', record])];
  children.start('slipstream', here('../../src/main.ts'), serve, env, () => {});

  const sent = { baseline: 0, canary: 0 };
  const openShop = (release: 'baseline' | 'canary'): { send(command: ShopCommand): void; readonly ready: Promise<void> } => {
    const ready = Promise.withResolvers<void>();
    const args = [release, release === 'canary' ? CANARY : BASELINE, `http://127.0.0.1:${ports.grpc}`, `${deployUrl}/weights`];
    const shop = children.start(`shop (${release})`, here('shop-process.ts'), args, env, (message) => {
      const report = message as ShopReport;
      if (report.kind === 'ready') ready.resolve();
      else if (report.kind === 'totals') sent[release] = report.spans;
      else story?.firstBad(report.atMs, report.endpoint);
    });
    return { send: (command) => void shop.process.send(command), ready: ready.promise };
  };
  await api.ready(READY_WITHIN_MS);
  const shops = [openShop('baseline'), openShop('canary')] as const;
  await Promise.all(shops.map(({ ready }) => ready));

  story = new Story(
    {
      api,
      screen,
      behave: (behaviour) => shops[1].send({ kind: 'behave', behaviour }),
      roll: (canaryWeight, decideWithinMs) => startRollout(deployUrl, canaryWeight, decideWithinMs),
      spansSent: () => sent.baseline + sent.canary,
    },
    scenario,
    timetable(options.seconds),
  );
  const end = await story.tell();
  const judged = judgeStory(scenario, end);
  await children.stop();
  const replay = record === null ? null : await keepForReplay(record, rollouts);
  process.stdout.write(summary({ scenario, end, judged, replay, paint: (text, tone) => screen.paint(text, tone) }));
  return judged.isRight ? 0 : 1;
}

async function startRollout(deployUrl: string, canaryWeight: number, decideWithinMs: number): Promise<string> {
  const response = await fetch(`${deployUrl}/rollouts`, { method: 'POST', body: JSON.stringify({ canaryWeight, decideWithinMs }) });
  const answer = (await response.json()) as { runId?: string; error?: string };
  if (!response.ok || answer.runId === undefined) throw new Error(`starting the rollout: ${answer.error ?? response.status}`);
  return answer.runId;
}

/** The environment of the children: nothing of the user's own OpenTelemetry settings, and SDKs that export twice a second. */
function childEnv(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([key]) => !key.startsWith('OTEL_') && !key.startsWith('SLIPSTREAM_'));
  return {
    ...Object.fromEntries(own),
    OTEL_BSP_SCHEDULE_DELAY: '500',
    OTEL_BSP_MAX_QUEUE_SIZE: '16384',
    OTEL_NODE_RESOURCE_DETECTORS: 'env',
  };
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

class Interrupted extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(signal);
    this.signal = signal;
  }
}
