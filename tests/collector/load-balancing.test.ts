/** Members of role `ingest` behind a Collector that balances by service: each service at one member, nothing lost or doubled while one leaves. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { describeKafka } from '../kafka/rig/describe-kafka.ts';
import { processDocument, shopDocument } from '../service/config.ts';
import { eventually, killAll, Running } from '../service/running.ts';
import { freePort } from '../support/free-ports.ts';
import { COLLECTOR_TOOLS, collectorIn } from '../tools/collector.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import type { Need } from '../tools/toolset.ts';
import { Collector } from './rig/collector.ts';
import { missingOwnHosts, OwnHosts } from './rig/own-hosts.ts';
import { Sender } from './rig/sender.ts';

const NAME = 'members.test';
const SERVICES = ['shop-0', 'shop-1', 'shop-2', 'shop-3', 'shop-4', 'shop-5', 'shop-6', 'shop-7'];
const ROUND = 100;
const OWN_HOSTS: Need = { missing: missingOwnHosts };

const folder = mkdtempSync(join(tmpdir(), 'slipstream-balanced-'));
afterEach(killAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeWithTools('with a Collector and own host names', [COLLECTOR_TOOLS, OWN_HOSTS], (directory) => {
  describeKafka('and a broker', (broker) => {
    const member = (name: string, role: 'ingest' | 'evaluate', receivers: object): Running => {
      const own = join(folder, name);
      mkdirSync(own, { recursive: true });
      const document = {
        ...processDocument({ receivers: { otlpGrpc: { enabled: false }, otlpHttp: { enabled: false }, ...receivers } }),
        kafka: { brokers: [broker().address], partitions: 2, replicationFactor: 1, sessionTimeout: '6s', flush: '200ms' },
      };
      const objectives = SERVICES.map((service) => ({
        ...shopDocument(),
        metadata: { name: service },
        spec: { service, objectives: [{ availability: '99%' }] },
      }));
      return new Running({ folder: own, config: [document, ...objectives], args: ['--role', role] });
    };
    const taken = (running: Running) => running.metric('receiver_accepted_spans_total{transport="grpc"}');

    it('load-balancing.yaml: a service is at one member, and nothing is lost or counted twice when that leaves', async () => {
      const port = await freePort();
      // It makes the topics, too.
      const judge = member('judge', 'evaluate', {});
      await judge.log('slipstream is running');
      const first = member('first', 'ingest', { otlpGrpc: { host: '127.0.0.1', port } });
      const second = member('second', 'ingest', { otlpGrpc: { host: '127.0.0.2', port } });
      await Promise.all([first, second].map((running) => running.log('slipstream is running')));
      const hosts = new OwnHosts(folder);
      hosts.resolve(NAME, ['127.0.0.1', '127.0.0.2']);
      await using between = await Collector.start({
        otelcol: collectorIn(directory(COLLECTOR_TOOLS)),
        configuration: 'load-balancing',
        env: { SLIPSTREAM_MEMBERS: NAME, SLIPSTREAM_MEMBERS_PORT: String(port) },
        within: hosts.within,
      });
      const senders = SERVICES.map((service) => new Sender({ address: between.grpc, attributes: { 'service.name': service } }));
      let rounds = 0;
      /** Every service serves as much; resolves with what each member took of it. */
      const round = async (members: readonly Running[]): Promise<readonly number[]> => {
        const before = await Promise.all(members.map(taken));
        rounds++;
        await Promise.all(senders.map((sender) => sender.serve(ROUND)));
        return eventually(
          async () => (await Promise.all(members.map(taken))).map((now, index) => now - (before[index] ?? 0)),
          (shares) => shares.reduce((sum, share) => sum + share, 0) >= SERVICES.length * ROUND,
        );
      };

      const shares = await round([first, second]);
      // Whole services only, some here and some there; and the same ones again.
      expect(shares.map((share) => share % ROUND)).toEqual([0, 0]);
      expect(Math.min(...shares)).toBeGreaterThan(0);
      expect(await round([first, second])).toEqual(shares);

      // As a member in a cluster leaves: its name goes first, then it is asked to stop.
      hosts.resolve(NAME, ['127.0.0.1']);
      while ((await round([first, second]))[1] !== 0) expect(rounds).toBeLessThan(200);
      expect(await second.stop()).toEqual({ code: 0, signal: null });
      expect(await round([first])).toEqual([SERVICES.length * ROUND]);

      for (const sender of senders) await sender[Symbol.asyncDispose]();
      const each = { valid: rounds * ROUND, good: (rounds * ROUND * 9) / 10 };
      expect(senders.map(({ acknowledged }) => acknowledged)).toEqual(SERVICES.map(() => each));
      const counts = async () => {
        const { services } = await judge.state();
        return SERVICES.map((name) => {
          const evidence = services.find(({ service }) => service === name)?.objectives[0]?.judgement.evidence;
          return evidence?.kind === 'objective' ? { valid: evidence.valid, good: evidence.good } : null;
        });
      };
      await eventually(counts, (now) => now.every((count) => (count?.valid ?? 0) >= each.valid));
      expect(await counts()).toEqual(SERVICES.map(() => each));
    });
  });
});
