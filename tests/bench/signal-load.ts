/** Traffic of many services at a constant rate, each with a canary that turns bad at its own moment, again and again. */
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../demo/random.ts';
import { type Ports, SlipstreamApi } from '../demo/slipstream.ts';
import { spanRequestInput } from './otlp-payload.ts';
import type { ArrivedSignal, SignalSink } from './signal-sink.ts';
import { TimedRequest } from './timed-request.ts';

const SERVICES = 25;
const SENDS_PER_SECOND = 5;
/** Of each release and request. */
const SPANS = 80;
const ENDPOINTS = 4;
const LOAD_MS = 36_000;
/** Baseline alone, so that the lag is known and the code is warm. */
const LEAD_MS = 3000;
/** How long a canary is healthy: at least, and at random so much more. */
const HEALTHY_MS = 4000;
const HEALTHY_MORE_MS = 6000;
const SICK_ERROR_RATIO = 0.3;
const LOOP_MS = 4;
/** Spans leave this soon after their end. */
const EXPORT_MS = 5;
/** What was sent is remembered for as long as a verdict may look back. */
const KEPT_SENDS = 120 * SENDS_PER_SECOND;

interface Lane {
  readonly service: string;
  readonly baseline: TimedRequest;
  generation: number;
  canary: { readonly healthy: TimedRequest; readonly sick: TimedRequest; readonly sickAt: number } | null;
  readonly sent: { readonly newestEndMs: number; readonly at: number }[];
}

export interface SignalLoadOutcome {
  readonly latenciesMs: readonly number[];
  readonly sinceDecisionsMs: readonly number[];
  readonly spansPerSecond: number;
  /** Requests that were not answered with 200. */
  readonly refused: number;
}

export class SignalLoad {
  readonly #api: SlipstreamApi;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #httpPort: number;
  readonly #lanes: readonly Lane[];
  readonly #random = seededRandom(7);
  readonly #latenciesMs: number[] = [];
  readonly #sinceDecisionsMs: number[] = [];
  #spans = 0;
  #refused = 0;
  #isOn = true;

  constructor(ports: Ports, sink: SignalSink) {
    this.#api = new SlipstreamApi(ports.api);
    this.#httpPort = ports.http;
    this.#lanes = Array.from({ length: SERVICES }, (_, i) => {
      const service = `service-${String(i).padStart(2, '0')}`;
      return { service, baseline: traffic(service, '1.0.0', i), generation: 0, canary: null, sent: [] };
    });
    sink.heard = (signal) => void this.#heard(signal);
  }

  async run(): Promise<SignalLoadOutcome> {
    const begun = performance.now();
    const gapMs = 1000 / (SERVICES * SENDS_PER_SECOND);
    let haveRuns = false;
    let leadSpans = 0;
    for (let sends = 0; performance.now() - begun < LOAD_MS; ) {
      for (; sends * gapMs <= performance.now() - begun; sends++) this.#send(this.#lanes[sends % SERVICES] as Lane);
      if (!haveRuns && performance.now() - begun > LEAD_MS) {
        haveRuns = true;
        leadSpans = this.#spans;
        for (const lane of this.#lanes) void this.#startRun(lane);
      }
      await sleep(LOOP_MS);
    }
    this.#isOn = false;
    this.#agent.destroy();
    return {
      latenciesMs: this.#latenciesMs,
      sinceDecisionsMs: this.#sinceDecisionsMs,
      spansPerSecond: (this.#spans - leadSpans) / ((performance.now() - begun - LEAD_MS) / 1000),
      refused: this.#refused,
    };
  }

  async #startRun(lane: Lane): Promise<void> {
    const generation = ++lane.generation;
    const release = `2.${generation}.0`;
    const seed = generation * SERVICES;
    const [healthy, sick] = [traffic(lane.service, release, seed), traffic(lane.service, release, seed, SICK_ERROR_RATIO)];
    const response = await fetch(`${this.#api.url}/v1/rollouts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        id: `${lane.service}~${generation}`,
        service: `shop/${lane.service}`,
        baseline: { 'service.version': '1.0.0' },
        canary: { 'service.version': release },
        generation,
      }),
    });
    if (!response.ok) throw new Error(`starting a run: ${response.status} ${await response.text()}`);
    lane.canary = { healthy, sick, sickAt: performance.now() + HEALTHY_MS + this.#random() * HEALTHY_MORE_MS };
  }

  async #heard({ rolloutId, arrivedAt, evidenceAtMs, sinceDecisionMs, action, reason }: ArrivedSignal): Promise<void> {
    const [service, generation] = rolloutId.split('~');
    const lane = this.#lanes.find((one) => one.service === service);
    if (!this.#isOn || lane === undefined || Number(generation) !== lane.generation) return;
    if (action !== 'rollback') throw new Error(`an unexpected signal: ${action}, ${reason}`);
    const { lagMs } = await this.#api.run(rolloutId);
    const allowed = lane.sent.find(({ newestEndMs }) => newestEndMs >= evidenceAtMs + (lagMs ?? 0));
    if (allowed === undefined) throw new Error(`the signal of ${rolloutId} came before the watermark allowed it`);
    this.#latenciesMs.push(arrivedAt - allowed.at);
    this.#sinceDecisionsMs.push(sinceDecisionMs);
    await this.#startRun(lane);
  }

  #send(lane: Lane): void {
    const { baseline, canary } = lane;
    const at = performance.now();
    const newestEndMs = Date.now() - EXPORT_MS;
    const current = canary !== null && at >= canary.sickAt ? canary.sick : canary?.healthy;
    const parts = current === undefined ? [baseline] : [baseline, current];
    for (const part of parts) {
      part.stamp(newestEndMs, 1000 / SENDS_PER_SECOND);
      this.#spans += part.spans;
    }
    lane.sent.push({ newestEndMs, at });
    if (lane.sent.length > KEPT_SENDS) lane.sent.shift();
    // Requests joined end to end are one request; and a copy, as the parts are stamped again before all of it may be out.
    const body = Buffer.concat(parts.map(({ bytes }) => bytes));
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
    const options = { agent: this.#agent, host: '127.0.0.1', port: this.#httpPort, path: '/v1/traces', method: 'POST', headers };
    const sending = httpRequest(options, (response) => {
      response.resume();
      if (response.statusCode !== 200) this.#refused++;
    });
    sending.on('error', () => {
      if (this.#isOn) this.#refused++;
    });
    sending.end(body);
  }
}

function traffic(service: string, release: string, seed: number, errorRatio?: number): TimedRequest {
  const options = { spans: SPANS, spansPerResource: SPANS, pods: 4, endpoints: ENDPOINTS, nowMs: Date.now(), seed, service, release };
  return new TimedRequest(spanRequestInput({ ...options, ...(errorRatio !== undefined && { errorRatio }) }));
}
