/** The image does its work as a container runtime would run it: no root, no rights, nothing to write to but its volume. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { type BuiltImage, imageIn, imageToolset } from './build-image.ts';
import { Container } from './container.ts';

const IMAGE = imageToolset();
const SPANS = 40;
const TOKEN = 'a-token-of-the-api';
const SEND_SPANS = join(import.meta.dirname, 'send-spans.ts');

/** The configuration that the page about the image shows. */
const CONFIG = /```yaml\n([\s\S]*?)```/.exec(readFileSync(join(import.meta.dirname, '../../docs/image.md'), 'utf8'))?.[1] ?? '';
const SLO = `
apiVersion: slipstream.dev/v1
kind: ServiceObjectives
metadata: { name: shop }
spec: { service: shop, window: 28d, objectives: [{ availability: 99% }] }
`;

/** Packs and unpacks with each codec that producers use, by what the image has: prints how many came back whole. */
const ROUND_TRIPS = `
import kafkajs from '/app/node_modules/kafkajs/index.js';
const { registerCodecs } = await import('/app/dist/kafka/codecs.js');
registerCodecs();
const plain = Buffer.from('spans '.repeat(1000));
const { CompressionCodecs, CompressionTypes } = kafkajs;
const whole = [];
for (const name of ['Snappy', 'LZ4', 'ZSTD']) {
  const codec = CompressionCodecs[CompressionTypes[name]]();
  const packed = await codec.compress({ buffer: plain });
  if (packed.length < plain.length && plain.equals(await codec.decompress(packed))) whole.push(name);
}
process.stdout.write(whole.join(' '));
`;

describeWithTools('the image as a container', [IMAGE], (directory) => {
  let image: BuiltImage;
  let container: Container;
  beforeAll(async () => {
    image = await imageIn(directory(IMAGE));
    container = new Container({ image, files: { 'slipstream.yaml': CONFIG, 'slos/shop/shop.yaml': SLO, 'auth/api/token': TOKEN } });
    await container.said('slipstream is running');
  });
  afterAll(() => container.remove());

  it('is PID 1, with its own user, no rights and none to be had', async () => {
    const { stdout } = await container.exec(['node', '-p', 'fs.readFileSync("/proc/1/status", "utf8")']);
    const of = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(stdout)?.[1];
    expect(of('Uid')).toBe('65532\t65532\t65532\t65532');
    expect(of('Gid')).toBe('65532\t65532\t65532\t65532');
    expect(of('Groups')?.trim()).toBe('');
    expect([of('CapEff'), of('CapPrm')]).toEqual(['0'.repeat(16), '0'.repeat(16)]);
    expect(of('NoNewPrivs')).toBe('1');
  });

  it('has no shell beside it, and does without', async () => {
    const { code, stderr } = await container.exec(['/bin/sh', '-c', 'true']);
    expect(code).not.toBe(0);
    expect(stderr).toContain('/bin/sh');
  });

  it('cannot write to where its code lies', async () => {
    const { code, stderr } = await container.exec(['node', '-e', 'fs.writeFileSync("/app/dist/main.js", "")']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/EACCES|EROFS/);
  });

  it('takes spans of an SDK at its usual port and counts them', async () => {
    const sent = await container.beside([process.execPath, SEND_SPANS, String(SPANS)]);
    expect(sent).toMatchObject({ code: 0, stderr: '' });
    const scrape = `fetch('http://127.0.0.1:8080/metrics').then((answer) => answer.text()).then(console.log)`;
    const { stdout } = await container.exec(['node', '-e', scrape]);
    expect(stdout).toMatch(new RegExp(`^slipstream_receiver_accepted_spans_total\\{[^}]*\\} ${SPANS}$`, 'm'));
  });

  it('reads and writes with every codec of Kafka', async () => {
    expect(await container.exec(['node', '--input-type=module', '-e', ROUND_TRIPS])).toEqual({
      code: 0,
      stdout: 'Snappy LZ4 ZSTD',
      stderr: '',
    });
  });

  it('is well by its own health check', async () => {
    expect(await container.exec(image.config.healthcheck?.command ?? [])).toMatchObject({ code: 0, stdout: 'healthy\n' });
  });

  it('is not well by the same command where nobody listens', async () => {
    const command = (image.config.healthcheck?.command ?? []).slice(0, 3);
    expect(await container.exec([...command, '--url', 'http://127.0.0.1:9'])).toMatchObject({ code: 1 });
  });

  it('is ready, and its receivers answer, as its command tells people', async () => {
    const { code, stdout } = await container.exec([
      'node',
      '/usr/local/bin/slipstream',
      'health',
      '--ready',
      '--otlp-grpc',
      '127.0.0.1:4317',
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ready\n' });
  });

  it('stops when PID 1 is asked to, with what it knows in its volume', async () => {
    container.signal('SIGTERM');
    expect(await container.ended).toBe(0);
    const files = readdirSync(container.state);
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((name) => statSync(join(container.state, name)).uid !== 65532)).toEqual([]);
  });
});

describeWithTools('the image without a configuration', [IMAGE], (directory) => {
  it('says which file is missing and ends', async () => {
    const container = new Container({ image: await imageIn(directory(IMAGE)), files: {} });
    try {
      const code = await container.ended;
      expect({ code, output: container.output }).not.toMatchObject({ code: 0 });
      expect(container.output).toContain('/etc/slipstream/slipstream.yaml');
    } finally {
      await container.remove();
    }
  });
});
