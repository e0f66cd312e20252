/** The chart's members on a real Kafka: pods that count, pods that judge, found by each other under the names that the chart gives them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Broker } from '../kafka/rig/broker.ts';
import { brokerJars, KAFKA_TOOLS } from '../kafka/rig/broker-tools.ts';
import { rollout, SERVICE, shopDocument } from '../service/config.ts';
import { SICK, thisSecond } from '../service/traffic.ts';
import { freePorts } from '../support/free-ports.ts';
import { HELM_TOOLS } from '../tools/helm.ts';
import { describePods } from './rig/pods/describe-pods.ts';
import { HelmRelease } from './rig/pods/release.ts';

/** As pods know it; the broker tells its clients this address. */
const KAFKA = { name: 'kafka.example.test', port: 9092 };

const folder = mkdtempSync(join(tmpdir(), 'slipstream-kafka-'));
let broker: Broker | null = null;

async function startBroker() {
  const jars = await brokerJars(process.env, (line) => void process.stderr.write(`${line}\n`));
  const [own = 0, machinePort = 0] = await freePorts(2);
  broker = await Broker.start({
    jars,
    folder,
    properties: {
      listeners: `PLAINTEXT://127.0.0.1:${own},PODS://127.0.0.1:${machinePort},CONTROLLER://127.0.0.1:0`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${own},PODS://${KAFKA.name}:${KAFKA.port}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,PODS:PLAINTEXT,CONTROLLER:PLAINTEXT',
    },
  });
  return [{ ...KAFKA, machinePort }];
}

afterAll(async () => {
  await broker?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describePods('members of the chart', { tools: [HELM_TOOLS, KAFKA_TOOLS], hosts: startBroker }, (pods, directory) => {
  it('count, judge and answer for each other, and go on when the judge of a service is lost', async () => {
    const { cluster, kubelet, until } = pods();
    const release = await HelmRelease.prepare(pods(), directory);
    const { stderr } = await release.install({
      mode: 'distributed',
      ingest: { replicas: 2, autoscaling: { enabled: false } },
      slos: { 'shop.yaml': shopDocument() },
      config: {
        kafka: { brokers: [`${KAFKA.name}:${KAFKA.port}`], insecureNonLoopback: true, partitions: 2, flush: '200ms' },
        spans: { releaseBy: ['service.version'] },
        sinks: [{ type: 'print', name: 'print' }],
      },
    });
    expect(stderr).toBe('');
    expect((await release.helm('test', release.name)).stdout).toMatch(/Phase:\s+Succeeded/);

    const now = thisSecond();
    const startedAt = now - 60_000;
    expect((await release.post('/v1/rollouts', rollout(startedAt))).status).toBeLessThan(300);
    const state = async () => ((await release.json('/v1/rollouts/shop-1')) as { state: string }).state;
    expect(await release.send(startedAt, thisSecond(), SICK)).toBe(true);
    for (let second = 0; second < 30 && (await state()) !== 'rolled_back'; second++) {
      const at = thisSecond();
      await release.send(at - 1_000, at, SICK);
      await new Promise((next) => setTimeout(next, 1_000));
    }
    expect(await state()).toBe('rolled_back');

    // Whoever printed the signal judges the service.
    const judges = [0, 1].map((number) => `${release.fullName}-evaluate-${number}`);
    const logs = await Promise.all(judges.map((name) => kubelet.log(release.namespace, name)));
    const judge = judges.find((_, number) => logs[number]?.includes('"action":"rollback"')) ?? '';
    expect(judges).toContain(judge);
    const { uid } = kubelet.pod(release.namespace, judge).pod.metadata;
    await cluster.must('DELETE', `${release.root}/pods/${judge}`);
    await until('the pod is replaced', async () => kubelet.pod(release.namespace, judge).pod.metadata.uid !== uid);
    const services = async () => {
      const { services } = (await release.json('/v1/status?window=1h')) as { services: readonly { service: string }[] };
      return services.map(({ service }) => service);
    };
    await until('the service has a judge again', async () => (await services()).includes(SERVICE));
    expect(await state()).toBe('rolled_back');
  });
});
