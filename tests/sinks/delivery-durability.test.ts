/** What a crash would still forget has not left: a journal that is durable only later is waited for. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/sinks/delivery.ts';
import { ChangelogStore } from '../../src/store/changelog-store.ts';
import { MemoryChangelog } from '../store/memory-changelog.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { DeliveryStand } from './delivery-stand.ts';
import { until } from './manual-time.ts';

const folders = new TemporaryFolders();
const followUp = sampleSignal({ id: 'sig_after', action: 'rolled_back' });
const rollback = sampleSignal();
let stand: DeliveryStand;
let log: MemoryChangelog;
let store: ChangelogStore;

beforeEach(async () => {
  stand = new DeliveryStand();
  log = new MemoryChangelog();
  store = await ChangelogStore.restore({ folder: folders.make(), open: (take) => log.open(take) });
});
afterEach(async () => {
  await stand.stop();
  store.close();
  folders.clean();
});

/** From here on nothing becomes durable, until what it returns is called. */
function standStill(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  log.before = () => promise;
  return resolve;
}

async function delivered(change: Parameters<DeliveryStand['start']>[0] = {}): Promise<Delivery> {
  const delivery = stand.start({ journal: store.journal, ...change });
  store.journal.append([{ signal: rollback, decidedAt: DECIDED_AT }]);
  await store.durable();
  delivery.submit(store.journal.of(rollback.id));
  await until(() => store.journal.of(rollback.id)[0]?.state === 'acknowledged');
  await store.durable();
  return delivery;
}

describe('a journal that is durable later', () => {
  it('is waited for before others are told of an effect', async () => {
    await delivered({ followUps: (signal) => (signal.action === 'rollback' ? [followUp] : []) });
    const goOn = standStill();
    stand.deploy.look = () => ({ state: 'confirmed', rolledBackTo: '7c9f', detail: 'the stable release serves' });
    await stand.passUntil(30_000);
    expect(store.journal.of(rollback.id)).toMatchObject([{ state: 'confirmed' }]);
    expect(stand.deploy.taken).toEqual([rollback.id]);
    goOn();
    await until(() => stand.deploy.taken.length > 1);
    expect(stand.deploy.taken).toEqual([rollback.id, followUp.id]);
  });

  it('is not waited for by an attempt of a signal that it has for good', async () => {
    const delivery = stand.start({ journal: store.journal });
    store.journal.append([{ signal: rollback, decidedAt: DECIDED_AT }]);
    await store.durable();
    standStill();
    delivery.submit(store.journal.of(rollback.id));
    await until(() => stand.deploy.taken.length === 1);
    expect(store.durable()).not.toBeNull();
  });

  it('gives for delivery what it has for good, and nothing that came meanwhile or is over', async () => {
    store.journal.append([{ signal: rollback, decidedAt: DECIDED_AT }]);
    const goOn = standStill();
    const delivery = stand.start({ journal: store.journal });
    await stand.passUntil(1_000);
    expect(stand.deploy.taken).toEqual([]);
    const over = { state: 'superseded', isOpen: false, attempts: 0, lastError: null, escalatedAt: null, at: DECIDED_AT } as const;
    store.journal.mark(rollback.id, 'deploy', over);
    store.journal.append([{ signal: followUp, decidedAt: DECIDED_AT }]);
    goOn();
    await store.durable();
    await stand.passUntil(2_000);
    expect(stand.deploy.taken).toEqual([]);
    delivery.resume();
    await until(() => stand.deploy.taken.length === 1);
    expect(stand.deploy.taken).toEqual([followUp.id]);
  });

  it('whose state has another owner lets nothing leave', async () => {
    await delivered({ followUps: () => [followUp] });
    await log.open(() => {});
    stand.deploy.look = () => ({ state: 'confirmed', rolledBackTo: '7c9f', detail: 'the stable release serves' });
    await stand.passUntil(10_000);
    await until(() => stand.telemetry.lines.some(({ message }) => message === 'deliveries are left in the journal'));
    expect(stand.deploy.taken).toEqual([rollback.id]);
  });
});
