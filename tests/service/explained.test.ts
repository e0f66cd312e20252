/** What is told before, during and after a rollout is the same wherever one asks: API, command line and signal. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ran } from '../cli/streams.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { processDocument, rollout, SECRETS, shopDocument } from './config.ts';
import { killAll, Running } from './running.ts';
import { HEALTHY, SICK, send, sendLive, thisSecond } from './traffic.ts';

const folders = new TemporaryFolders();
let folder: string;

beforeEach(() => {
  folder = folders.make();
});
afterEach(async () => {
  await killAll();
  folders.clean();
});

describe('a running service', () => {
  it('plans a canary from its traffic, and explains the rollback with one voice', async () => {
    const receiver = await WebhookReceiver.listen(SECRETS);
    const running = await Running.start({ folder, config: [processDocument({ webhookUrl: receiver.url }), shopDocument()] });
    const now = thisSecond();
    await send(running, now - 20_000, now - 1_000, HEALTHY);

    const plan = await ran(['plan', '--service', 'shop', '--share', '10%', '--url', running.api]);
    expect([plan.code, plan.stderr]).toEqual([0, '']);
    expect(plan.stdout).toMatch(/^shop: a canary with 10 % of \d+\.\d requests\/s, compared with /);
    expect(plan.stdout).toMatch(/^GET \/cart +errors +errors \+ 1 % +\d+ (s|min|h) /m);

    expect((await ran(['explain', '--url', running.api])).stderr).toContain('no rollout is known yet');

    const { startedAt: _, ...request } = rollout(now);
    expect((await running.startRollout(request)).status).toBe(201);
    await sendLive(running, SICK, () => receiver.requests.length > 0);
    const live = await running.runIn('rolled_back');

    const told = await ran(['explain', '--url', running.api]);
    const page = await (await fetch(`${running.api}/v1/rollouts/shop-1/explanation`)).text();
    expect([told.code, told.stderr, told.stdout]).toEqual([0, '', page]);
    expect(page).toBe(`${live.explanation.page}\n`);

    const [signal] = receiver.requests;
    expect(JSON.parse(signal?.body ?? '{}')).toMatchObject({ data: { summary: live.explanation.verdict } });
    // The page says in lines what the summary says in sentences.
    const { canary, baseline } = (live.judgements.find(({ check }) => check === live.verdict.decidedBy)?.evidence ?? {}) as {
      canary?: { bad: number; total: number };
      baseline?: { bad: number; total: number };
    };
    for (const text of [page, live.explanation.verdict]) {
      expect(text).toContain(`${canary?.bad} of ${canary?.total.toLocaleString('en-US')} bad`);
      expect(text).toContain(`${baseline?.bad} of ${baseline?.total.toLocaleString('en-US')} bad`);
    }
    await running.stop();
    await receiver.close();
  });
});
