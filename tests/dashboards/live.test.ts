/** Dashboards and rules in a real Prometheus that scrapes a real Slipstream with real traffic and a bad canary. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { processDocument, rollout, shopDocument } from '../service/config.ts';
import { API_TOKEN, eventually, killAll, Running } from '../service/running.ts';
import { exportRequest, post, SICK, send, thisSecond } from '../service/traffic.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { PROMETHEUS_TOOLS, prometheusIn } from '../tools/prometheus.ts';
import { DASHBOARDS, dashboardQueries, filledIn, RULE_GROUPS } from './rig/dashboard-files.ts';
import { namedMetrics } from './rig/named-metrics.ts';
import { PrometheusServer } from './rig/prometheus-server.ts';
import { SaidEverything } from './rig/said-everything.ts';

/** What a process that judges alone, without TLS and Kafka, has nothing to say of. */
const NOT_OF_ONE_PROCESS =
  /^slipstream_(kafka_|ingest_|tls_|cells|take_over_seconds|stream_lag|sources_|lease_held|peer_|rollback_permits|process_memory_limit)/;
/** Counted once it happens, and it did not happen here. */
const DID_NOT_HAPPEN = /^slipstream_(watch_failures|notices)/;
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9/hook';

describeWithTools('a real Prometheus', [PROMETHEUS_TOOLS], (directory) => {
  const folders = new TemporaryFolders();
  let running: Running;
  let everything: SaidEverything;
  let prometheus: PrometheusServer;
  let sender: { stop(): Promise<void> };

  beforeAll(async () => {
    const folder = folders.make();
    writeFileSync(join(folder, 'shop.yaml'), JSON.stringify(shopDocument()));
    running = await Running.start({ folder, config: [processDocument({ webhookUrl: NOWHERE, slos: ['shop.yaml'] })] });
    everything = await SaidEverything.start();
    const atOnce = join(folder, 'rules.yaml');
    writeFileSync(atOnce, rulesWithoutPatience());
    prometheus = await PrometheusServer.start({
      ...{ binary: prometheusIn(directory(PROMETHEUS_TOOLS)), folder },
      targets: [hostOf(running.api), everything.address],
      ruleFiles: [atOnce],
    });
    await eventually(
      () => prometheus.query(`slipstream_signals_total{instance="${hostOf(running.api)}",action="rollback"}`),
      (samples) => samples.length > 0,
    );
    const now = thisSecond();
    const answer = await running.startRollout(rollout(now - 40_000));
    expect(answer.status).toBe(201);
    await send(running, now - 40_000, now, SICK);
    await running.runIn('rolled_back');
    sender = keepSending(running);
    // Two scrapes of everything, so that there are rates.
    for (const { instance } of [{ instance: hostOf(running.api) }, { instance: everything.address }]) {
      await eventually(
        () => prometheus.query(`rate(slipstream_service_requests_total{instance="${instance}"}[1m]) > 0`),
        (samples) => samples.length > 0,
      );
    }
  });
  afterAll(async () => {
    await sender?.stop();
    await prometheus?.stop();
    await everything?.stop();
    await killAll();
    folders.clean();
  });

  it('answers every query of every dashboard with what Slipstream says, but where it rightly has nothing to say', async () => {
    const instance = hostOf(running.api);
    const expected = dashboardQueries().filter(({ expr }) => {
      const [metric = ''] = namedMetrics(expr).map((named) => named.metric);
      return !NOT_OF_ONE_PROCESS.test(metric) && !DID_NOT_HAPPEN.test(metric);
    });
    const empty = async (): Promise<string[]> => {
      const answers = await Promise.all(
        expected.map(({ expr }) => prometheus.query(expr.replaceAll('job=~".*"', `instance="${instance}"`))),
      );
      return expected.flatMap(({ at }, i) => (answers[i]?.length === 0 ? [at] : []));
    };
    // What is counted for the first time has no rate before it is scraped again.
    await eventually(
      empty,
      (queries) => queries.length === 0,
      (queries) => `without an answer:\n${queries?.join('\n')}`,
    );
    expect(expected.length).toBeGreaterThan(70);
  });

  it('answers every query with data where everything has happened', async () => {
    const answers = await Promise.all(
      dashboardQueries().map(async ({ at, expr }) => ({
        at,
        samples: await prometheus.query(expr.replaceAll('job=~".*"', `instance="${everything.address}"`)),
      })),
    );
    expect(answers.filter(({ samples }) => samples.length === 0).map(({ at }) => at)).toEqual([]);
  });

  it('fills the variables', async () => {
    const values = await Promise.all(
      DASHBOARDS.flatMap(({ dashboard }) => dashboard.templating.list)
        .filter(({ definition }) => definition !== undefined)
        .map(async ({ name, definition = '' }) => {
          const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
          return [name, await prometheus.labelValues(label, filledIn(selector))] as const;
        }),
    );
    expect(Object.fromEntries(values)).toEqual({ job: ['slipstream'], service: ['any', 'shop'] });
  });

  it('shows the figures of the canary, of traffic and of the objective as the API has them', async () => {
    const instance = hostOf(running.api);
    const one = async (expr: string): Promise<number> => Number((await prometheus.query(expr))[0]?.value?.[1]);
    const run = await running.run('shop-1');
    const [info] = await prometheus.query(`slipstream_analysis_run_info{instance="${instance}"}`);
    expect(info?.metric).toMatchObject({
      ...{ service: 'shop', run: 'shop-1', release: 'service.version=1.1.0' },
      ...{ state: 'rolled_back', decision: 'rollback', reason: 'harm_proven' },
    });
    expect(await one(`slipstream_analysis_run_requests{instance="${instance}",arm="canary"}`)).toBe(run.canaryRequests);
    expect(await one(`slipstream_analysis_run_evidence_ratio{instance="${instance}"}`)).toBeGreaterThan(1);
    const failed = `slipstream_service_request_failures_total{instance="${instance}"} / slipstream_service_requests_total{instance="${instance}"}`;
    expect(await one(failed)).toBeCloseTo(0.15, 2);
    // The shop's requests take 20 to 36 ms.
    const share = (le: string): string =>
      `slipstream_service_request_duration_seconds_bucket{instance="${instance}",le="${le}"} / on () slipstream_service_request_duration_seconds_count{instance="${instance}"}`;
    expect([await one(share('0.01')), await one(share('0.05'))]).toEqual([0, 1]);
    expect(await one(share('0.025'))).toBeCloseTo(5 / 17, 1);
  });

  it('takes the rules, and fires those whose condition is there', async () => {
    const loaded = await prometheus.rules();
    expect(loaded.filter(({ health }) => health !== 'ok' && health !== 'unknown')).toEqual([]);
    expect(new Set(loaded.map(({ name }) => name))).toEqual(new Set(RULE_GROUPS.flatMap(({ rules }) => rules.map(({ alert }) => alert))));

    const longAgo = thisSecond() - 7_200_000;
    await (await post(running, exportRequest(longAgo, longAgo + 1000, SICK).body)).text();
    const held = await running.ask('/v1/overrides', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${API_TOKEN}` },
      body: JSON.stringify({ mode: 'hold', reason: 'this is a test', by: 'tests', for: '1h' }),
    });
    expect(held.status).toBe(201);
    writeFileSync(join(prometheus.folder, 'shop.yaml'), '{ this is no SLO file');

    const wanted = [
      'SlipstreamObjectivePage',
      'SlipstreamRefusesRequests',
      'SlipstreamReloadRefused',
      'SlipstreamRollbacksHeld',
      'SlipstreamSignalUndelivered',
      'SlipstreamSpansRejected',
    ];
    const instance = hostOf(running.api);
    const firing = async (): Promise<string[]> => {
      const alerts = await prometheus.query('ALERTS{alertstate="firing"}');
      const ours = alerts.filter(({ metric }) => (metric.instance ?? instance) === instance).map(({ metric }) => metric.alertname ?? '');
      return wanted.filter((name) => ours.includes(name));
    };
    expect(await eventually(firing, (names) => names.length === wanted.length)).toEqual(wanted);
    const rules = await prometheus.rules();
    const page = rules.flatMap(({ name, alerts }) => (name === 'SlipstreamObjectivePage' ? alerts : []));
    expect(page.find(({ labels }) => labels.service === 'shop')?.annotations.description).toMatch(
      /^The objective shop:availability.* of shop pages\. Of its error budget -[\d.]+% is left\.$/,
    );
  });
});

/** The rules without the time that a condition has to last. */
function rulesWithoutPatience(): string {
  const groups = RULE_GROUPS.map(({ name, rules }) => ({
    name: `${name} at once`,
    rules: rules.map(({ for: _, ...rule }) => rule),
  }));
  return stringify({ groups });
}

function hostOf(url: string): string {
  return new URL(url).host;
}

/** Every second what happened in it, and a request that holds no spans. */
function keepSending(running: Running): { stop(): Promise<void> } {
  let isOver = false;
  const done = (async () => {
    for (let from = thisSecond(); !isOver; ) {
      const to = thisSecond();
      if (to > from) {
        await send(running, from, to, SICK);
        expect((await post(running, { resourceSpans: 'nonsense' })).status).toBe(400);
        from = to;
      }
      await new Promise((again) => setTimeout(again, 100));
    }
  })();
  return {
    stop() {
      isOver = true;
      return done;
    },
  };
}
