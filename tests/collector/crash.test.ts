/** What a crash costs on the way through a Collector to Slipstream by OTLP: of Slipstream, and of the Collector while spans are under way. */
import { afterEach, expect, it } from 'vitest';
import { counted } from '../kafka/source-stand.ts';
import { eventually, killAll, type Running } from '../service/running.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { COLLECTOR_TOOLS, collectorIn } from '../tools/collector.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { Collector } from './rig/collector.ts';
import { Sender } from './rig/sender.ts';
import { countedAll, RELEASE, slipstreamIn } from './rig/slipstream.ts';

const folders = new TemporaryFolders();
afterEach(async () => {
  await killAll();
  folders.clean();
});

describeWithTools('a crash on the way through a Collector', [COLLECTOR_TOOLS], (directory) => {
  const collector = (env: Record<string, string>) =>
    Collector.start({ otelcol: collectorIn(directory(COLLECTOR_TOOLS)), configuration: 'otlp-grpc', env });
  const saved = async (running: Running) => {
    const checkpoints = await running.metric('checkpoint_seconds_count');
    // What was counted before is in the second one from now for certain.
    await eventually(
      () => running.metric('checkpoint_seconds_count'),
      (now) => now >= checkpoints + 2,
    );
  };

  it('a crash of Slipstream costs at most what it acknowledged since its last checkpoint, and nothing of what comes while it is away', async () => {
    const { env, start } = await slipstreamIn(folders.make());
    let running = await start();
    await using between = await collector(env);
    await using sender = new Sender({ address: between.grpc, attributes: RELEASE });
    await sender.serve(2_000);
    await countedAll(running, 2_000);
    await saved(running);
    await sender.serve(500);
    await countedAll(running, 2_500);
    await running.kill();
    await sender.serve(1_000);
    running = await start();
    await eventually(
      () => running.metric('receiver_accepted_spans_total{transport="grpc"}'),
      (accepted) => accepted >= 1_000,
    );
    // What was saved, and what waited in the queue; of the 500 between them as many as a checkpoint still met.
    const { valid } = await countedAll(running, 3_000);
    expect(valid).toBeLessThanOrEqual(3_500);
    expect(sender.acknowledged.valid).toBe(3_500);
    expect((await running.log('state restored')).gapMs).toBeGreaterThan(0);
  });

  it('a crash of the Collector loses nothing it acknowledged, and sends at most again what was under way', async () => {
    const { env, start } = await slipstreamIn(folders.make());
    const running = await start();
    await using between = await collector(env);
    await using sender = new Sender({ address: between.grpc, attributes: RELEASE });
    let isOver = false;
    const serving = sender.serveUntil(() => isOver, 4_000);
    await countedAll(running, 2_000);
    await between.kill();
    await between.start();
    const before = sender.acknowledged.valid;
    await eventually(
      async () => sender.acknowledged.valid,
      (now) => now > before + 2_000,
    );
    isOver = true;
    await serving;
    await countedAll(running, sender.acknowledged.valid);
    const { valid } = await counted(running);
    // Requests that lost their answer are not acknowledged and may be counted; batches whose answer came too late are counted again.
    expect(valid).toBeGreaterThanOrEqual(sender.acknowledged.valid);
    expect(valid).toBeLessThanOrEqual(sender.sent + 10 * 8_192);
  });
});
