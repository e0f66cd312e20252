/** By way of a Collector and a real broker: what was acknowledged is counted exactly once, though Slipstream is killed, and Collector and broker are restarted, while spans come. */
import { afterEach, expect, it } from 'vitest';
import { describeKafka } from '../kafka/rig/describe-kafka.ts';
import { counted, SourceStand } from '../kafka/source-stand.ts';
import { SERVICE } from '../service/config.ts';
import { eventually, killAll } from '../service/running.ts';
import { COLLECTOR_TOOLS, collectorIn } from '../tools/collector.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { Collector } from './rig/collector.ts';
import { Sender } from './rig/sender.ts';

afterEach(killAll);

describeWithTools('with a Collector', [COLLECTOR_TOOLS], (directory) => {
  describeKafka('and a broker', (broker) => {
    it('kafka.yaml: every acknowledged span is counted exactly once', async () => {
      const { address } = broker();
      await using stand = await SourceStand.make({ address, topic: 'otlp_spans', partitions: 3, receiver: { encoding: 'otlp_proto' } });
      const otelcol = collectorIn(directory(COLLECTOR_TOOLS));
      await using between = await Collector.start({ otelcol, configuration: 'kafka', env: { KAFKA_BROKERS: `[${address}]` } });
      await using sender = new Sender({ address: between.grpc, attributes: { 'service.name': SERVICE, 'service.version': '1.0.0' } });
      let running = await stand.start();
      let isOver = false;
      const serving = sender.serveUntil(() => isOver, 2_000);
      const goesOn = async () => {
        const before = (await counted(running)).valid;
        await eventually(
          () => counted(running),
          ({ valid }) => valid >= before + 1_000,
        );
      };

      await goesOn();
      await running.kill();
      running = await stand.start();
      await goesOn();
      await between.stop();
      await between.start();
      await goesOn();
      await running.kill();
      // Its queue on disk holds what comes meanwhile.
      await broker().stop();
      const before = sender.acknowledged.valid;
      await eventually(
        async () => sender.acknowledged.valid,
        (now) => now >= before + 1_000,
      );
      await broker().start();
      running = await stand.start();
      await goesOn();
      isOver = true;
      await serving;

      const { acknowledged } = sender;
      await eventually(
        () => counted(running),
        ({ valid }) => valid >= acknowledged.valid,
      );
      expect(await counted(running)).toEqual(acknowledged);
      expect((await running.stop()).code).toBe(0);
      expect(await counted(await stand.start())).toEqual(acknowledged);
    });
  });
});
