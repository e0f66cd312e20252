/** The watchdog of members that share the work: each proves the stages it has, and the counts on their way. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { processDocument } from '../service/config.ts';
import { eventually, killAll, Running } from '../service/running.ts';
import { describeKafka } from './rig/describe-kafka.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipstream-watchdog-'));
afterEach(killAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeKafka('members of a fleet', (broker) => {
  const member = (role: 'ingest' | 'evaluate'): Running => {
    const own = join(folder, role);
    mkdirSync(own, { recursive: true });
    const otlp = role === 'ingest' ? {} : { otlpGrpc: { enabled: false }, otlpHttp: { enabled: false } };
    const document = {
      ...processDocument({ receivers: otlp, state: { checkpointInterval: '500ms' } }),
      kafka: { brokers: [broker().address], partitions: 2, replicationFactor: 1, sessionTimeout: '6s', flush: '200ms' },
      watchdog: { interval: '1s' },
    };
    return new Running({ folder: own, config: [document], args: ['--role', role] });
  };

  it('prove the stages that they have, over Kafka, and find nothing wrong', async () => {
    const counting = member('ingest');
    await counting.log('slipstream is running');
    const judging = member('evaluate');
    await judging.log('slipstream is running');
    const ok = (running: Running, part: string) => () => running.metric(`watchdog_checks_total{part="${part}",result="ok"}`);
    for (const part of ['decode', 'wire', 'otlp_grpc', 'otlp_http', 'commits'])
      await eventually(ok(counting, part), (rounds) => rounds > 0);
    for (const part of ['wire', 'decide', 'signal', 'judging', 'state', 'delivery', 'group'])
      await eventually(ok(judging, part), (rounds) => rounds > 0);
    expect(await ok(counting, 'decide')()).toBe(0);
    const { watchdog } = await eventually(
      () => judging.state(),
      (state) => state.watchdog?.lastSuccessAt != null,
    );
    expect(watchdog?.faults).toEqual([]);
    for (const { lines } of [counting, judging])
      expect(lines.filter(({ msg }) => msg === 'the watchdog finds a part that does not work')).toEqual([]);
  });
});
