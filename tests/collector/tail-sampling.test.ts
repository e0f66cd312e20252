/** The tap before a tail sampler: Slipstream counts everything, whatever the sampler leaves out and however the tracing backend fares. */
import { afterEach, expect, it } from 'vitest';
import { counted } from '../kafka/source-stand.ts';
import { processDocument, SERVICE, shopDocument } from '../service/config.ts';
import { eventually, killAll, Running } from '../service/running.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { freePort } from '../support/free-ports.ts';
import { COLLECTOR_TOOLS, collectorIn } from '../tools/collector.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { Collector } from './rig/collector.ts';
import { Sender } from './rig/sender.ts';

const folders = new TemporaryFolders();
afterEach(async () => {
  await killAll();
  folders.clean();
});

describeWithTools('a tap before tail sampling', [COLLECTOR_TOOLS], (directory) => {
  /** Something that takes OTLP and says what it got; the tracing backend is one, too. */
  const receiver = async (): Promise<{ running: Running; address: string }> => {
    const running = await Running.start({ folder: folders.make(), config: [processDocument(), shopDocument()] });
    return { running, address: new URL(running.grpc).host };
  };
  const between = (slipstream: string, backend: string, changes: readonly string[] = []) => {
    const env = { SLIPSTREAM_GRPC: slipstream, BACKEND_GRPC: backend, DECISION_WAIT: '1s' };
    return Collector.start({ otelcol: collectorIn(directory(COLLECTOR_TOOLS)), configuration: 'tail-sampling', env, changes });
  };
  const senderTo = (collector: Collector) =>
    new Sender({ address: collector.grpc, attributes: { 'service.name': SERVICE, 'service.version': '1.0.0' } });

  it('tail-sampling.yaml: Slipstream counts every span, the backend gets those that the sampler keeps', async () => {
    const [slipstream, backend] = [await receiver(), await receiver()];
    await using collector = await between(slipstream.address, backend.address);
    await using sender = senderTo(collector);
    await sender.serve(3_000);
    await eventually(
      () => counted(slipstream.running),
      ({ valid }) => valid >= 3_000,
    );
    const failed = ({ valid, good }: { valid: number; good: number }) => valid - good;
    await eventually(
      () => counted(backend.running),
      (now) => failed(now) >= 300,
    );
    expect(await counted(slipstream.running)).toEqual({ valid: 3_000, good: 2_700 });
    const kept = await counted(backend.running);
    expect(failed(kept)).toBe(300);
    // One of ten fails at the backend's: counted behind the sampler, this service would have lost its budget many times.
    expect(kept.good).toBeLessThan(2_700 / 5);
  });

  it('a backend that is away, with its queue full, makes nobody send twice', async () => {
    const { running, address } = await receiver();
    const nobody = `127.0.0.1:${await freePort()}`;
    const full = ['exporters::otlp/backend::sending_queue::queue_size: 1', 'exporters::otlp/backend::sending_queue::num_consumers: 1'];
    await using collector = await between(address, nobody, full);
    await using sender = senderTo(collector);
    // Batches for the backend come from the sampler, once a second or so, until its queue refuses them.
    for (let turn = 0; !(await collector.log()).includes('sending queue is full'); turn++) {
      expect(turn, await collector.log(20)).toBeLessThan(20);
      await sender.serve(2_000);
      await new Promise((next) => setTimeout(next, 500));
    }
    await sender.serve(1_000);
    expect(sender.acknowledged.valid).toBe(sender.sent);
    await eventually(
      () => counted(running),
      ({ valid }) => valid >= sender.sent,
    );
    expect(await counted(running)).toEqual(sender.acknowledged);
  });
});
