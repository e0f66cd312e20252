/** A canary that is still on its way after a restart, or on another replica, is one that nobody aborted, not one that somebody told to go on. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HttpsKubernetesApi } from '../../src/kubernetes/https-kubernetes-api.ts';
import { ArgoRolloutsSink } from '../../src/sinks/argo-rollouts/argo-rollouts-sink.ts';
import { CANARY, RolloutServer, STABLE } from '../sinks/argo-rollouts-server.ts';
import { DeliveryStand } from '../sinks/delivery-stand.ts';
import { until } from '../sinks/manual-time.ts';
import { DECIDED_AT } from '../store/samples.ts';

const target = { kind: 'Rollout', namespace: 'shop', name: 'checkout', fence: CANARY, previous: STABLE } as const;
let server: RolloutServer;
let stand: DeliveryStand;

beforeEach(async () => {
  server = await RolloutServer.listen();
  stand = new DeliveryStand();
  const kubernetes = new HttpsKubernetesApi({ server: server.url, tokenFile: null, caFile: null, lease: null }, { env: {} });
  stand.sinks.set(
    'deploy',
    new ArgoRolloutsSink(
      { type: 'argo-rollouts', name: 'deploy', isDryRun: false, onPromote: 'nothing', onBadAfterPromotion: 'undo', timeoutMs: 5_000 },
      { kubernetes, instance: 'test', onEventLost: () => undefined },
    ),
  );
});
afterEach(async () => {
  await stand.stop();
  await server.stop();
});

it('a rollback whose attempts all failed before the restart is sent after it', async () => {
  const { id } = stand.decide(null, { target });
  stand.store.journal.mark(id, 'deploy', {
    ...{ state: 'sent', isOpen: true, attempts: 3, lastError: 'ECONNREFUSED', escalatedAt: null, at: DECIDED_AT },
  });
  stand.start();
  await until(() => stand.entry()?.state !== 'sent');
  expect(stand.entry()).toMatchObject({ state: 'acknowledged', attempts: 4 });
  expect(server.rollout.status).toMatchObject({ abort: true });
});

it('a rollback that the replica with the lease did not send is sent by the other one', async () => {
  stand.standby = true;
  const delivery = stand.start();
  stand.decide(delivery, { target });
  await stand.passUntil(5_000);
  await until(() => stand.entry()?.state !== 'pending' && stand.entry()?.state !== 'sent');
  expect(stand.entry()).toMatchObject({ state: 'acknowledged' });
  expect(server.rollout.status).toMatchObject({ abort: true });
});
