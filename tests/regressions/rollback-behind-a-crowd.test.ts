/** A rollback waits neither behind signals that harm nobody by being late, nor for a row that cannot be read. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Receipt } from '../../src/sinks/sink.ts';
import { DeliveryStand } from '../sinks/delivery-stand.ts';
import { until } from '../sinks/manual-time.ts';

let stand: DeliveryStand;
beforeEach(() => {
  stand = new DeliveryStand();
});
afterEach(() => stand.stop());

it('a rollback is the next one through a slow sink', async () => {
  const answers: (() => void)[] = [];
  stand.deploy.take = () => new Promise<Receipt>((resolve) => answers.push(() => resolve('acknowledged')));
  const delivery = stand.start({ limits: { inFlightPerSink: 1 } });
  for (const id of ['sig_1', 'sig_2', 'sig_3']) stand.decide(delivery, { id, action: 'promote' });
  stand.decide(delivery, { id: 'sig_bad' });
  await until(() => answers.length === 1);
  answers[0]?.();
  await until(() => stand.deploy.taken.length === 2);
  expect(stand.deploy.taken).toEqual(['sig_1', 'sig_bad']);
  await until(() => answers.length === 2);
  answers[1]?.();
  await until(() => answers.length === 3);
  answers[2]?.();
  await until(() => answers.length === 4);
  answers[3]?.();
});

it('a rollback is taken up although as many deliveries are held as there is room for', async () => {
  stand.current = () => 'wait';
  const delivery = stand.start({ limits: { held: 2 }, isCurrent: ({ action }) => (action === 'rollback' ? 'send' : 'wait') });
  for (const id of ['sig_1', 'sig_2', 'sig_3']) stand.decide(delivery, { id, action: 'hold' });
  stand.decide(delivery, { id: 'sig_bad' });
  await until(() => stand.deploy.taken.length === 1);
  expect(stand.deploy.taken).toEqual(['sig_bad']);
});

it('a signal that cannot be read keeps no other one from being sent after a restart, and shows', async () => {
  stand.decide(null, { id: 'sig_0_odd', notAfter: Number.NaN });
  stand.decide(null, { id: 'sig_bad' });
  stand.start();
  await until(() => stand.deploy.taken.length === 1);
  expect(stand.deploy.taken).toEqual(['sig_bad']);
  expect(stand.telemetry.value('deliveries_total', { sink: 'deploy', result: 'unreadable' })).toBe(1);
  expect(stand.telemetry.lines.filter(({ message }) => message === 'a journalled signal cannot be read')).toHaveLength(1);
  expect(stand.store.journal.of('sig_0_odd')).toMatchObject([{ isOpen: true }]);
});
