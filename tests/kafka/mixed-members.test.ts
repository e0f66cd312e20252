/** An ingest member whose histograms are others than those of who judges: what it counts cannot be taken, which is said once and leads to no verdict. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { processDocument } from '../service/config.ts';
import { eventually, killAll, Running } from '../service/running.ts';
import { policies } from './fleet/fleet.ts';
import { BASELINE, CANARY, recordsOf, SICK, type Story } from './fleet/numbered-spans.ts';
import { describeKafka } from './rig/describe-kafka.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipstream-mixed-'));
afterEach(killAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeKafka('members of unlike histograms', (broker) => {
  const member = (role: 'ingest' | 'evaluate', histogram: object = {}): Running => {
    const own = join(folder, role);
    mkdirSync(own, { recursive: true });
    const document = {
      ...processDocument({ histogram }),
      kafka: { brokers: [broker().address], partitions: 1, replicationFactor: 1, sessionTimeout: '6s', flush: '100ms' },
      receivers: { otlpGrpc: { enabled: false }, otlpHttp: { enabled: role === 'ingest', port: 0 } },
    };
    return new Running({ folder: own, config: [document, ...policies()], args: ['--role', role] });
  };

  it('are told apart once a minute, counted, and hold every verdict', async () => {
    const judge = member('evaluate');
    const counting = member('ingest', { digits: 3 });
    await Promise.all([judge, counting].map((running) => running.log('slipstream is running')));
    await judge.log('a partition of the delta topic was taken over');
    const startSec = Math.floor(Date.now() / 1000) - 5;
    const wish = {
      ...{ id: 'run-sick', service: SICK, generation: 1 },
      baseline: { 'service.version': BASELINE },
      canary: { 'service.version': CANARY },
      startedAt: new Date(startSec * 1000).toISOString(),
    };
    // It may not know yet that the service is its own.
    await eventually(
      async () => (await judge.startRollout(wish)).status,
      (status) => status === 201 || status === 200,
    );
    const story: Story = { startSec, seconds: 5, spansPerSecond: 1_200, sickFromSecond: 0 };
    for (let second = 0; second < story.seconds; second++) {
      for (const { value } of recordsOf(story, second, new Map())) {
        const headers = { 'content-type': 'application/x-protobuf' };
        const answer = await fetch(counting.http, { method: 'POST', headers, body: new Uint8Array(value) });
        expect(answer.status).toBe(200);
      }
    }
    await eventually(
      () => judge.metric('delta_records_refused_total'),
      (refused) => refused >= 12,
    );
    const told = judge.lines.filter(({ msg }) => String(msg).startsWith('counts were lost'));
    expect(told).toHaveLength(1);
    expect(String(told[0]?.text)).toContain('every member needs the same histogram settings');
    await eventually(
      () => judge.run('run-sick'),
      (run) => run.verdict.decision === 'hold' && run.verdict.reason === 'input_gap',
      (run) => JSON.stringify(run?.verdict),
    );
  });
});
