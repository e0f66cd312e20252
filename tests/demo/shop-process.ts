/** One release's corner of the shop in a process of its own: real SDKs, traffic as the deploy system weighs it, spans as requests end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Pod, type PodIdentity, startPod } from './pod.ts';
import { seededRandom } from './random.ts';
import { type Cell, writeRequestSpans } from './request-spans.ts';
import type { ShopCommand, ShopReport } from './shop-messages.ts';
import { type Behaviour, HEALTHY, type PlannedRequest, Traffic } from './traffic.ts';

const TICK_MS = 25;
const WEIGHT_POLL_MS = 100;
const REPORT_MS = 250;
/** Requests under way beyond which new ones are refused; far above what the demo's traffic reaches. */
const MAX_UNDER_WAY = 20_000;

const [release, version, otlpUrl, weightUrl] = process.argv.slice(2);
if ((release !== 'baseline' && release !== 'canary') || !version || !otlpUrl || !weightUrl) {
  console.error('usage: shop-process.ts baseline|canary VERSION OTLP-URL WEIGHT-URL');
  process.exit(2);
}

const pods = (service: string, of: string, count: number): Pod[] =>
  Array.from({ length: count }, (_, index) => {
    const identity: PodIdentity = { service, version: of, name: `${service}-${of.replaceAll('.', '')}-${release.charAt(0)}${index + 1}` };
    return startPod(identity, otlpUrl);
  });
const cell: Cell = {
  frontend: release === 'baseline' ? pods('frontend', '3.2.0', 1) : [],
  checkout: pods('checkout', version, 2),
  payment: pods('payment', '2.0.1', 1),
  catalog: pods('catalog', '0.9.4', 1),
};
const allPods = Object.values(cell).flat() as Pod[];

const seed = release === 'baseline' ? 11 : 23;
const random = seededRandom(seed * 7919);
const traffic = new Traffic(seed, Date.now());
let behaviour: Behaviour = HEALTHY;
let canaryWeight = 0;
let underWay: PlannedRequest[] = [];
let isStopping = false;
let hasToldFirstBad = false;
const totals = { spans: 0, requests: 0, badRequests: 0, refused: 0 };

function tell(report: ShopReport): void {
  process.send?.(report);
}

function tick(): void {
  const now = Date.now();
  const share = release === 'canary' ? canaryWeight : 1 - canaryWeight;
  const arrived = traffic.arrivals(now, release === 'canary' ? { checkout: share } : { checkout: share, frontend: 1 }, behaviour);
  for (const request of arrived) {
    if (underWay.length < MAX_UNDER_WAY) underWay.push(request);
    else totals.refused++;
  }
  const stillUnderWay: PlannedRequest[] = [];
  for (const request of underWay) {
    if (request.endMs > now) stillUnderWay.push(request);
    else finish(request);
  }
  underWay = stillUnderWay;
}

function finish(request: PlannedRequest): void {
  totals.requests++;
  if (behaviour.sendsSpans) totals.spans += writeRequestSpans(cell, request, random);
  if (!request.bad) return;
  totals.badRequests++;
  if (hasToldFirstBad) return;
  hasToldFirstBad = true;
  tell({ kind: 'first_bad', atMs: request.endMs, endpoint: `${request.route.method} ${request.route.path}` });
}

async function followWeight(): Promise<void> {
  while (!isStopping) {
    try {
      const answer = await fetch(weightUrl as string, { signal: AbortSignal.timeout(2000) });
      canaryWeight = ((await answer.json()) as { canaryWeight: number }).canaryWeight;
    } catch {
      // The deploy system is gone or late: keep the last weight, as a proxy would.
    }
    await sleep(WEIGHT_POLL_MS);
  }
}

async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  clearInterval(ticking);
  clearInterval(reporting);
  await Promise.race([Promise.allSettled(allPods.map((pod) => pod.stop())), sleep(2000)]);
  process.exit(0);
}

const ticking = setInterval(tick, TICK_MS);
const reporting = setInterval(
  () => tell({ kind: 'totals', ...totals, cpuMs: process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000 }),
  REPORT_MS,
);
process.on('message', (command: ShopCommand) => {
  if (command.kind === 'behave') behaviour = command.behaviour;
  else void stop();
});
process.on('disconnect', () => void stop());
process.on('SIGTERM', () => void stop());
// Ctrl-C reaches the whole process group; the demo decides when the shop closes.
process.on('SIGINT', () => {});
void followWeight();
tell({ kind: 'ready' });
