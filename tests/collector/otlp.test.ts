/** An instrumented service, a real Collector and a real Slipstream: what was acknowledged is counted once, though both go away on the way. */
import { afterEach, expect, it } from 'vitest';
import { counted } from '../kafka/source-stand.ts';
import { killAll } from '../service/running.ts';
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

describeWithTools('spans by way of a Collector', [COLLECTOR_TOOLS], (directory) => {
  const collector = (configuration: string, env: Record<string, string>) =>
    Collector.start({ otelcol: collectorIn(directory(COLLECTOR_TOOLS)), configuration, env });

  it.each(['otlp-grpc', 'otlp-http'])(
    '%s.yaml: every acknowledged span is counted once, over a stop of Slipstream and a crash and a stop of the Collector meanwhile',
    async (configuration) => {
      const { env, start } = await slipstreamIn(folders.make());
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
});
