/** Configuration that changes under a running service: good ones are taken, bad ones are told of, and no span is lost meanwhile. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { processDocument, SECRETS, shopDocument } from './config.ts';
import { configFile, eventually, killAll, Running } from './running.ts';
import { exportRequest, HEALTHY, post, send, thisSecond } from './traffic.ts';

const folders = new TemporaryFolders();
let folder: string;

beforeEach(() => {
  folder = folders.make();
});
afterEach(async () => {
  await killAll();
  folders.clean();
});

function writeSlos(objectives: readonly object[]): void {
  writeFileSync(join(folder, 'shop.yaml'), JSON.stringify(shopDocument(objectives)));
}

async function shownObjectives(running: Running): Promise<readonly string[]> {
  const { services } = await running.state();
  return services[0]?.objectives.map(({ text }) => text) ?? [];
}

const CONFIG = [processDocument({ slos: ['shop.yaml'] })];
const FIRST = [{ availability: '99%' }];
const SECOND = [{ availability: '99%' }, { errorRate: '< 5%' }];

it('a changed SLO file is taken by itself; a bad one changes nothing and is told of until it is mended; no span is lost', async () => {
  writeSlos(FIRST);
  const running = await Running.start({ folder, config: CONFIG });
  const now = thisSecond();
  let spans = 0;
  let isOver = false;
  const sender = (async () => {
    for (let at = now - 100_000; !isOver; at += 100) {
      const request = exportRequest(at, at + 100, HEALTHY);
      const response = await post(running, request.body);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('{}');
      spans += request.spans;
      if (at >= now - 100) at = now - 10_000;
    }
  })();
  await eventually(
    () => shownObjectives(running),
    (texts) => texts.length === 1,
  );
  writeSlos(SECOND);
  const { revision } = await running.log('configuration reloaded');
  expect(await shownObjectives(running)).toHaveLength(2);
  expect((await running.state()).policyRevision).toBe(revision);
  expect(await running.metric('config_last_reload_success')).toBe(1);

  writeSlos([{ availabilty: '99%' }]);
  running.signal('SIGHUP');
  const refused = await running.log('the new configuration is refused; the old one stays in use');
  expect(refused.level).toBe('error');
  expect(refused.problems).toMatch(/shop\.yaml:\d+:\d+ .*availabilty[\s\S]*did you mean `availability`/);
  expect(await running.metric('config_last_reload_success')).toBe(0);
  expect(await running.metric('config_reloads_total{result="refused"}')).toBe(1);
  expect(await shownObjectives(running)).toHaveLength(2);
  expect(await running.status('/readyz')).toBe(200);

  writeSlos([...SECOND, { latency: 'p99 < 1s' }]);
  running.signal('SIGHUP');
  await eventually(
    () => running.metric('config_last_reload_success'),
    (success) => success === 1,
  );
  expect(await shownObjectives(running)).toHaveLength(3);
  isOver = true;
  await sender;
  expect(await running.metric('spans_total{disposition="counted"}')).toBe(spans);
  expect(await running.metric('receiver_accepted_spans_total{transport="http"}')).toBe(spans);
  await running.stop();
});

it('SIGHUP looks at once: three changes are taken in less than two intervals of the watch', async () => {
  writeSlos(FIRST);
  const running = await Running.start({ folder, config: CONFIG });
  const now = thisSecond();
  await send(running, now - 3_000, now, HEALTHY);
  const begun = performance.now();
  for (const [taken, objectives] of [SECOND, FIRST, SECOND].entries()) {
    writeSlos(objectives);
    running.signal('SIGHUP');
    await eventually(
      () => running.metric('config_reloads_total{result="ok"}'),
      (reloads) => reloads === taken + 1,
    );
  }
  expect(performance.now() - begun).toBeLessThan(4_000);
  await running.stop();
});

it('says what is in use only after a restart, and a secret that was rotated is such a thing', async () => {
  const receiver = await WebhookReceiver.listen(SECRETS);
  const secretFile = join(folder, 'secret');
  const secret = (fill: number) => writeFileSync(secretFile, `whsec_${Buffer.alloc(32, fill).toString('base64')}\n`);
  secret(1);
  const sinks = [{ type: 'webhook', name: 'deployer', url: receiver.url, secrets: [{ file: secretFile }] }];
  const running = await Running.start({ folder, config: [{ ...processDocument(), sinks }, shopDocument()] });
  secret(2);
  running.signal('SIGHUP');
  expect(await running.log('these parts of the new configuration are in use after a restart only')).toMatchObject({
    needsRestart: ['sinks'],
  });
  configFile(folder, [{ ...processDocument({ histogram: { digits: 1 } }), sinks }, shopDocument()]);
  running.signal('SIGHUP');
  await eventually(
    async () => running.lines.filter(({ needsRestart }) => JSON.stringify(needsRestart) === '["histogram","sinks"]').length,
    (lines) => lines === 1,
  );
  expect(running.stdout).not.toContain(Buffer.alloc(32, 2).toString('base64'));
  await running.stop();
  await receiver.close();
});

it('logs what a configuration says and hardly means, at the start and after a reload', async () => {
  const twice = [{ availability: '99.9%' }, { errorRate: '< 0.1%' }];
  writeSlos(twice);
  const running = await Running.start({ folder, config: CONFIG });
  const warned = () => running.lines.filter(({ msg }) => msg === 'the configuration says what is hardly meant');
  expect(warned()).toMatchObject([
    { level: 'warn', warnings: expect.stringMatching(/shop\.yaml:\d+:\d+ [\s\S]*count the same failures[\s\S]*1 warning/) },
  ]);
  writeSlos([...twice, { latency: 'p99 < 1s' }]);
  running.signal('SIGHUP');
  await eventually(
    async () => warned().length,
    (lines) => lines === 2,
  );
  await running.stop();
});
