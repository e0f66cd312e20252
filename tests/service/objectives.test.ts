/** From spans over the wire to the commands about objectives: what a running service says of budgets is what was sent. */
import { afterEach, expect, it } from 'vitest';
import { ran } from '../cli/streams.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { processDocument, shopDocument } from './config.ts';
import { eventually, killAll, Running } from './running.ts';
import { SICK, send, thisSecond } from './traffic.ts';

const folders = new TemporaryFolders();

afterEach(async () => {
  await killAll();
  folders.clean();
});

it('list, page, what-if, metrics and log tell the same of what was sent, also after a restart', async () => {
  const folder = folders.make();
  const config = [processDocument(), shopDocument()];
  const running = await Running.start({ folder, config });
  const now = thisSecond();
  const sent = await send(running, now - 40_000, now, SICK);
  const good = sent.spans - sent.failed;
  const slo = (...argv: string[]) => ran(['slo', ...argv, '--url', running.api]);

  const list = await eventually(
    () => slo('list', '--check'),
    ({ stdout }) => stdout.includes(sent.spans.toLocaleString('en-US')),
  );
  expect(list.code).toBe(3);
  expect(list.stdout).toContain(`(${good.toLocaleString('en-US')} of ${sent.spans.toLocaleString('en-US')})`);

  const { objectives } = JSON.parse((await slo('list', '-o', 'json')).stdout);
  const availability = objectives.find(({ text }: { text: string }) => text.startsWith('availability'));
  expect(availability).toMatchObject({ state: 'breached', counts: { valid: sent.spans, bad: sent.failed }, allowedBad: sent.spans / 100 });
  expect(availability.budgetRemaining).toBeCloseTo(1 - sent.failed / (sent.spans / 100), 9);
  expect(availability.ledger.rows).toMatchObject([{ endpoint: 'GET /cart', release: '1.1.0', bad: sent.failed }]);

  const page = await slo('explain', availability.id);
  expect(page.code).toBe(0);
  expect(page.stdout).toContain(`${sent.failed.toLocaleString('en-US')} of ${sent.spans.toLocaleString('en-US')} requests were bad`);
  expect(page.stdout).toContain('release 1.1.0 cost ');

  const tried = JSON.parse((await slo('try', 'shop', '99.9%', '-o', 'json')).stdout);
  expect(tried).toMatchObject({ basis: 'counts', valid: sent.spans, bad: { least: sent.failed, most: sent.failed }, outcome: 'breached' });

  const fires = await running.log('objective alert fires', { objective: availability.id });
  expect(fires).toMatchObject({ service: 'shop', severity: 'page' });
  const labels = `service="shop",objective="${availability.id}"`;
  await eventually(
    () => running.metric(`objective_alert_firing{${labels},severity="page"}`),
    (firing) => firing === 1,
  );
  expect(await running.metric(`objective_budget_remaining_ratio{${labels}}`)).toBeCloseTo(availability.budgetRemaining, 9);

  await running.stop();
  const next = await Running.start({ folder, config });
  const report = await next.json('/v1/slo');
  const after = (report as typeof availability).objectives.find(({ id }: { id: string }) => id === availability.id);
  expect(after).toMatchObject({ counts: availability.counts, budgetRemaining: availability.budgetRemaining, ledger: availability.ledger });
  expect(after.alert.severity).toBe('page');
  expect(after.incidents[0]).toMatchObject({ endedAt: null, startedAt: availability.incidents[0].startedAt });
});
