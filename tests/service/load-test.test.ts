/** A pipeline as a user writes it: two load tests of the demo's shop are recorded and compared, and the gate heeds what came of it. */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DOMParser, type Element } from '@xmldom/xmldom';
import { afterEach, expect, it } from 'vitest';
import { API_VERSION } from '../../src/config/slo-schema.ts';
import type { ShopCommand, ShopReport } from '../demo/shop-messages.ts';
import { type Behaviour, HEALTHY } from '../demo/traffic.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { processDocument } from './config.ts';
import { API_TOKEN, eventually, killAll, MAIN, Running } from './running.ts';

const folders = new TemporaryFolders();
afterEach(async () => {
  await killAll();
  folders.clean();
});

const SHOP = join(import.meta.dirname, '../demo/shop-process.ts');
/** Requests of one load test: some fifteen seconds of them. */
const REQUESTS = 3000;

const PIPELINE = `#!/bin/bash
set -euo pipefail
cd "$(dirname "$0")"
slipstream() { node "$SLIPSTREAM" "$@"; }
deploy() {
  code=0
  slipstream gate checkout "$@" > gate.txt || code=$?
  case $code in
    0) echo "deployed" ;;
    *) echo "not deployed: $code" ;;
  esac
}
deploy
code=0
slipstream compare main.spans pr.spans --service checkout --label 1.5.0 --junit compare.xml -o json > compare.json || code=$?
echo "compared: $code"
deploy --load-test compare.json
slipstream compare main.spans main.spans --service checkout > same.txt || [ $? -eq 1 ]
`;

/** What traffic a shop gets is asked of the deploy system: all of it, here. */
async function weights(): Promise<{ url: string; close(): void }> {
  const server = createServer((_, response) => response.end(JSON.stringify({ canaryWeight: 1 })));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

/** The shop's checkout of one release under load, its spans sent to `running`. */
async function loadTest(running: Running, version: string, behaviour: Behaviour, weightUrl: string): Promise<void> {
  const shop = fork(SHOP, ['canary', version, running.grpc, weightUrl], { stdio: 'ignore' });
  try {
    await new Promise<void>((resolve, reject) => {
      shop.once('exit', () => reject(new Error('the shop closed')));
      shop.on('message', (report: ShopReport) => {
        if (report.kind === 'ready') shop.send({ kind: 'behave', behaviour } satisfies ShopCommand);
        if (report.kind === 'totals' && report.requests >= REQUESTS) resolve();
      });
    });
  } finally {
    shop.removeAllListeners('exit');
    const ended = once(shop, 'exit');
    shop.send({ kind: 'stop' } satisfies ShopCommand);
    await ended;
  }
}

it('two load tests of a shop are compared, and a release that is worse is not deployed', async () => {
  const folder = folders.make();
  const objectives = { apiVersion: API_VERSION, kind: 'ServiceObjectives', metadata: { name: 'checkout' } };
  const config = [processDocument(), { ...objectives, spec: { service: 'checkout', objectives: '90 % available' } }];
  const start = (name: string) => {
    mkdirSync(join(folder, name));
    return Running.start({ folder: join(folder, name), config, args: ['--record', join(folder, `${name}.spans`)] });
  };
  const [production, candidate, weight] = [await start('main'), await start('pr'), await weights()];
  try {
    await Promise.all([
      loadTest(production, '1.4.2', HEALTHY, weight.url),
      loadTest(candidate, '1.5.0', { ...HEALTHY, errorRatio: 0.2 }, weight.url),
    ]);
  } finally {
    weight.close();
  }
  await candidate.stop();
  await eventually(
    () => production.json('/v1/gate?service=checkout') as Promise<{ answer: string }>,
    ({ answer }) => answer === 'allow',
  );

  writeFileSync(join(folder, 'pipeline.sh'), PIPELINE);
  const env = { PATH: process.env.PATH, SLIPSTREAM: MAIN, SLIPSTREAM_URL: production.api, SLIPSTREAM_API_TOKEN: API_TOKEN };
  const said = await new Promise<string>((resolve, reject) => {
    execFile('bash', [join(folder, 'pipeline.sh')], { env }, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
  expect(said.trimEnd().split('\n')).toEqual(['deployed', 'compared: 2', 'not deployed: 2']);
  expect(readFileSync(join(folder, 'gate.txt'), 'utf8')).toMatch(
    /load_test_failed +load test of 1\.5\.0 failed .*errors GET \/order\/\{id\}/,
  );
  const junit = new DOMParser().parseFromString(readFileSync(join(folder, 'compare.xml'), 'utf8'), 'text/xml');
  const failed = [...junit.getElementsByTagName('failure')].map(({ parentNode }) => (parentNode as Element | null)?.getAttribute('name'));
  expect(failed.join()).toContain('errors');
  await production.stop();
}, 120_000);
