/** An instrumented service, a real Collector and a real Slipstream: what was acknowledged is counted, though both are stopped and killed on the way. */
import { afterEach, expect, it } from 'vitest';
import { freePort } from '../cluster/rig/processes.ts';
import { counted } from '../kafka/source-stand.ts';
import { processDocument, SERVICE, shopDocument } from '../service/config.ts';
import { eventually, killAll, Running } from '../service/running.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { COLLECTOR_TOOLS, collectorIn } from '../tools/collector.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { Collector } from './rig/collector.ts';
import { Sender } from './rig/sender.ts';

const folders = new TemporaryFolders();
afterEach(async () => {
  await killAll();
  folders.clean();
});

const RELEASE = { 'service.name': SERVICE, 'service.version': '1.0.0' };

describeWithTools('spans by way of a Collector', [COLLECTOR_TOOLS], (directory) => {
  /** Slipstream with the ports it had before, wherever it is started again. */
  const slipstream = async () => {
    const [grpc, http] = [await freePort(), await freePort()];
    const receivers = { otlpGrpc: { port: grpc }, otlpHttp: { port: http } };
    const [folder, config] = [folders.make(), [processDocument({ receivers }), shopDocument()]];
    return {
      env: { SLIPSTREAM_GRPC: `127.0.0.1:${grpc}`, SLIPSTREAM_HTTP: `http://127.0.0.1:${http}` },
      start: () => Running.start({ folder, config }),
    };
  };
  const collector = (configuration: string, env: Record<string, string>) =>
    Collector.start({ otelcol: collectorIn(directory(COLLECTOR_TOOLS)), configuration, env });
  const countedAll = (running: Running, valid: number) =>
    eventually(
      () => counted(running),
      (now) => now.valid >= valid,
    );
  const saved = async (running: Running) => {
    const checkpoints = await running.metric('checkpoint_seconds_count');
    // What was counted before is in the second one from now for certain.
    await eventually(
      () => running.metric('checkpoint_seconds_count'),
      (now) => now >= checkpoints + 2,
    );
  };

  it.each(['otlp-grpc', 'otlp-http'])(
    '%s.yaml: every acknowledged span is counted once, over a stop of Slipstream and a crash and a stop of the Collector meanwhile',
    async (configuration) => {
      const { env, start } = await slipstream();
      let running = await start();
      await using between = await collector(configuration, env);
      await using grpc = new Sender({ address: between.grpc, attributes: RELEASE });
      await using http = new Sender({ address: between.http, protocol: 'http', attributes: RELEASE });
      const serve = () => Promise.all([grpc.serve(1_000), http.serve(1_000)]);
      const acknowledged = () => ({
        valid: grpc.acknowledged.valid + http.acknowledged.valid,
        good: grpc.acknowledged.good + http.acknowledged.good,
      });

      await serve();
      await countedAll(running, 2_000);
      expect(await running.stop()).toEqual({ code: 0, signal: null });
      // They lie in the queue, which outlives the Collector.
      await serve();
      await between.kill();
      await between.start();
      await serve();
      await between.stop();
      await between.start();
      running = await start();
      await serve();

      expect(acknowledged()).toEqual({ valid: 8_000, good: 7_200 });
      await countedAll(running, 8_000);
      expect(await counted(running)).toEqual(acknowledged());
      // A last restart of ours finds the same.
      await running.stop();
      expect(await counted(await start())).toEqual(acknowledged());
    },
  );

  it('a crash of Slipstream costs at most what it acknowledged since its last checkpoint, and nothing of what comes while it is away', async () => {
    const { env, start } = await slipstream();
    let running = await start();
    await using between = await collector('otlp-grpc', env);
    await using sender = new Sender({ address: between.grpc, attributes: RELEASE });
    await sender.serve(2_000);
    await countedAll(running, 2_000);
    await saved(running);
    await sender.serve(500);
    await countedAll(running, 2_500);
    await running.kill();
    await sender.serve(1_000);
    running = await start();
    const { valid } = await countedAll(running, 3_000);
    expect([3_000, 3_500]).toContain(valid);
    expect(sender.acknowledged.valid).toBe(3_500);
    expect((await running.log('state restored')).gapMs).toBeGreaterThan(0);
  });

  it('a crash of the Collector loses nothing it acknowledged, and sends at most again what was under way', async () => {
    const { env, start } = await slipstream();
    const running = await start();
    await using between = await collector('otlp-grpc', env);
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
