/** A Collector that must say who it is: with TLS, a certificate of its own and a token, which are all changed on the way; and what is told when one is wrong. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { counted } from '../kafka/source-stand.ts';
import { processDocument, SERVICE, shopDocument } from '../service/config.ts';
import { eventually, killAll, Running } from '../service/running.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { freePort } from '../support/free-ports.ts';
import { type SelfSigned, selfSigned } from '../support/self-signed.ts';
import { COLLECTOR_TOOLS, collectorIn } from '../tools/collector.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { Collector } from './rig/collector.ts';
import { Sender } from './rig/sender.ts';

const [TOKEN, NEXT_TOKEN] = ['a-token-of-senders-nobody-may-see', 'the-next-token-nobody-may-see'];

const folders = new TemporaryFolders();
afterEach(async () => {
  await killAll();
  folders.clean();
});

/** The files of both sides, in one folder; each can be written anew. */
class Files {
  readonly folder = folders.make();
  readonly server = selfSigned('localhost');

  constructor() {
    const client = selfSigned('collector');
    this.serve(this.server);
    this.write('client.crt', client.cert);
    this.write('client.key', client.key);
    this.write('senders.crt', client.cert);
    this.write('ca.crt', this.server.cert);
    this.write('tokens', TOKEN);
    this.write('token', TOKEN);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), `${text.trimEnd()}\n`);
  }

  serve({ cert, key }: SelfSigned): void {
    this.write('tls.key', key);
    this.write('tls.crt', cert);
  }

  /** Of Slipstream. */
  get receivers(): object {
    return {
      tls: { certFile: this.path('tls.crt'), keyFile: this.path('tls.key'), clientCaFile: this.path('senders.crt') },
      token: { file: this.path('tokens') },
    };
  }

  /** Of the Collector. */
  get env(): Record<string, string> {
    return {
      SLIPSTREAM_TOKEN_FILE: this.path('token'),
      SLIPSTREAM_CA_FILE: this.path('ca.crt'),
      SLIPSTREAM_CERT_FILE: this.path('client.crt'),
      SLIPSTREAM_KEY_FILE: this.path('client.key'),
    };
  }
}

describeWithTools('a Collector that says who it is', [COLLECTOR_TOOLS], (directory) => {
  const slipstream = async (files: Files) => {
    const port = await freePort();
    const receivers = { ...files.receivers, otlpGrpc: { port } };
    const folder = folders.make();
    const running = await Running.start({ folder, config: [processDocument({ receivers }), shopDocument()] });
    const reloads = () => running.lines.filter(({ msg }) => msg === 'configuration reloaded').length;
    return {
      running,
      SLIPSTREAM_GRPC: `localhost:${port}`,
      /** Resolves once what secrets say now is in use. */
      reload: async () => {
        const before = reloads();
        appendFileSync(join(folder, 'slipstream.yaml'), '# changed\n');
        running.signal('SIGHUP');
        await eventually(
          async () => reloads(),
          (now) => now > before,
        );
      },
    };
  };
  const collector = (env: Record<string, string>, changes: readonly string[] = []) =>
    Collector.start({ otelcol: collectorIn(directory(COLLECTOR_TOOLS)), configuration: 'secure', env, changes });
  const senderTo = ({ grpc }: Collector) => new Sender({ address: grpc, attributes: { 'service.name': SERVICE } });
  const countedAll = (running: Running, valid: number) =>
    eventually(
      () => counted(running),
      (now) => now.valid >= valid,
    );

  it('secure.yaml: every span is counted once while the certificate and the token of senders are replaced', async () => {
    const files = new Files();
    const { running, SLIPSTREAM_GRPC, reload } = await slipstream(files);
    await using between = await collector({ ...files.env, SLIPSTREAM_GRPC });
    await using sender = senderTo(between);
    await sender.serve(500);
    await countedAll(running, 500);

    // Both sides know the next one before the first one goes.
    files.write('tokens', `${TOKEN}\n${NEXT_TOKEN}`);
    await reload();
    files.write('token', NEXT_TOKEN);
    await eventually(
      () => between.log(),
      (log) => log.includes('refresh token'),
    );
    await sender.serve(500);
    await countedAll(running, 1_000);
    files.write('tokens', NEXT_TOKEN);
    await reload();
    await sender.serve(500);
    await countedAll(running, 1_500);

    const renewed = selfSigned('localhost');
    files.write('ca.crt', files.server.cert + renewed.cert);
    files.serve(renewed);
    await eventually(
      () => running.metric('tls_certificate_renewals_total{listener="otlp_grpc",result="taken"}'),
      (count) => count === 1,
    );
    // The connection that stands keeps what it was made with; the next one meets the new certificate.
    await sender.serve(500);
    await between.stop();
    files.write('ca.crt', renewed.cert);
    await between.start();
    await sender.serve(500);
    await countedAll(running, 2_500);
    expect(sender.acknowledged).toEqual({ valid: 2_500, good: 2_250 });
    expect(await counted(running)).toEqual(sender.acknowledged);
    expect(await running.metric('receiver_refused_requests_total{transport="grpc",outcome="unauthenticated"}')).toBe(0);
    for (const secret of [TOKEN, NEXT_TOKEN]) expect(running.stdout + running.stderr + (await between.log())).not.toContain(secret);
  });

  it('a wrong token is refused for good, which shows on both sides, and counts nothing', async () => {
    const files = new Files();
    files.write('token', 'not-the-token-at-all');
    const { running, SLIPSTREAM_GRPC } = await slipstream(files);
    await using between = await collector({ ...files.env, SLIPSTREAM_GRPC });
    await using sender = senderTo(between);
    await sender.serve(100);
    await eventually(
      () => between.log(),
      (log) => log.includes('Unauthenticated') && log.includes('Dropping data'),
    );
    expect(await running.metric('receiver_refused_requests_total{transport="grpc",outcome="unauthenticated"}')).toBeGreaterThan(0);
    expect(await counted(running)).toEqual({ valid: 0, good: 0 });
  });

  it.each([
    ['no certificate of its own', { SLIPSTREAM_CERT_FILE: '', SLIPSTREAM_KEY_FILE: '' }, 'certificate required'],
    ['no trust in the certificate that it meets', { SLIPSTREAM_CA_FILE: 'client.crt' }, 'failed to verify certificate'],
  ])('with %s it keeps its spans, and says why', async (_name, changed, told) => {
    const files = new Files();
    const { running, SLIPSTREAM_GRPC } = await slipstream(files);
    const changes = Object.entries(changed).map(([name, value]) => [name, value === '' ? '' : files.path(value)]);
    await using between = await collector({ ...files.env, ...Object.fromEntries(changes), SLIPSTREAM_GRPC });
    await using sender = senderTo(between);
    await sender.serve(100);
    await eventually(
      () => between.log(),
      (log) => log.includes(told) && log.includes('Will retry'),
      (log) => String(log).slice(-2_000),
    );
    expect(await between.log()).not.toContain('Dropping data');
    expect(await counted(running)).toEqual({ valid: 0, good: 0 });
  });

  it('never sends its token without TLS: it does not start', async () => {
    const none = { SLIPSTREAM_CA_FILE: '', SLIPSTREAM_CERT_FILE: '', SLIPSTREAM_KEY_FILE: '', SLIPSTREAM_GRPC: 'localhost:1' };
    const plain = collector({ ...new Files().env, ...none }, ['exporters::otlp/slipstream::tls::insecure: true']);
    await expect(plain).rejects.toThrow('require transport level security');
  });
});
