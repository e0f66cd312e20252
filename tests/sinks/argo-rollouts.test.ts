/** The sink for Argo Rollouts: what all sinks must do, and what it makes of answers that no healthy server gives. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArgoRolloutsSinkConfig } from '../../src/config/sink-config.ts';
import { HttpsKubernetesApi } from '../../src/kubernetes/https-kubernetes-api.ts';
import type { Signal } from '../../src/model/rollout.ts';
import { ArgoRolloutsSink } from '../../src/sinks/argo-rollouts/argo-rollouts-sink.ts';
import { messageOf } from '../../src/sinks/message.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import { CANARY, RolloutServer, STABLE } from './argo-rollouts-server.ts';
import { attempt, describeSink, failureOf, never } from './sink.contract.ts';

const TOKEN = 'a-token-of-the-account-nobody-may-see';
const folder = mkdtempSync(join(tmpdir(), 'slipstream-test-'));
const tokenFile = join(folder, 'token');
writeFileSync(tokenFile, TOKEN);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const target = { kind: 'Rollout', namespace: 'shop', name: 'checkout', fence: CANARY, previous: STABLE } as const;
const message = (change: Partial<Signal> = {}) => messageOf(sampleSignal({ target, ...change }), DECIDED_AT);

function sinkAt(server: RolloutServer, change: Partial<ArgoRolloutsSinkConfig> = {}, lost: unknown[] = []): ArgoRolloutsSink {
  const config = {
    type: 'argo-rollouts',
    name: 'argo',
    isDryRun: false,
    onPromote: 'nothing',
    onBadAfterPromotion: 'undo',
    timeoutMs: 5_000,
  } as const;
  const kubernetes = new HttpsKubernetesApi({ server: server.url, tokenFile, caFile: null, lease: null }, { env: {} });
  return new ArgoRolloutsSink({ ...config, ...change }, { kubernetes, instance: 'test', onEventLost: (error) => void lost.push(error) });
}

describeSink('argo-rollouts', async () => {
  const server = await RolloutServer.listen();
  const guarded = [
    { op: 'test', path: '/metadata/uid', value: 'uid-1' },
    { op: 'test', path: '/metadata/generation', value: 3 },
    { op: 'test', path: '/status/currentPodHash', value: CANARY },
    { op: 'test', path: '/status/stableRS', value: STABLE },
    { op: 'add', path: '/status/abort', value: true },
  ];
  return {
    sink: sinkAt(server),
    message: message(),
    arrived: () => server.changes,
    expected: [JSON.stringify(guarded)],
    repeats: 'nothing',
    breakDown: () => {
      server.failing = 'broken';
    },
    stall: () => server.stall(),
    hasty: sinkAt(server, { timeoutMs: 300 }),
    dry: sinkAt(server, { isDryRun: true }),
    secrets: [TOKEN],
    stop: () => server.stop(),
  };
});

describe('the argo-rollouts sink', () => {
  let server: RolloutServer;
  beforeEach(async () => {
    server = await RolloutServer.listen();
  });
  afterEach(() => server.stop());

  it.each([
    { status: 401, on: 'PATCH', name: 'PermanentError', code: 'misdirected' },
    { status: 403, on: 'PATCH', name: 'PermanentError', code: 'misdirected' },
    { status: 403, on: 'GET', name: 'PermanentError', code: 'misdirected' },
    { status: 404, on: 'GET', name: 'PermanentError', code: 'misdirected' },
    { status: 409, on: 'PATCH', name: 'RetryableError', code: 'conflict' },
    { status: 422, on: 'PATCH', name: 'PermanentError', code: 'refused' },
    { status: 400, on: 'PATCH', name: 'PermanentError', code: 'refused' },
  ] as const)('takes a $status to a $on for $code and says what it was about', async ({ status, on, name, code }) => {
    server.failing = { status, on };
    const error = await failureOf(sinkAt(server).deliver(message(), never));
    expect(error).toMatchObject({ name, code, message: expect.stringContaining(message().id) });
    expect(server.changes).toEqual([]);
  });

  it.each([429, 500, 503, 504])('takes a %d for a failure in passing', async (status) => {
    server.failing = { status, on: 'PATCH' };
    expect(await failureOf(sinkAt(server).deliver(message(), never))).toMatchObject({ name: 'RetryableError' });
  });

  it('finds a newer release that comes between looking and acting', async () => {
    server.meanwhile = () => {
      server.rollout.status.currentPodHash = 'newer';
    };
    expect(await failureOf(sinkAt(server).deliver(message(), never))).toMatchObject({ code: 'superseded' });
    expect(server.changes).toEqual([]);
  });

  it('acts on the Rollout as it has become when only something else changed between looking and acting', async () => {
    let changes = 2;
    server.meanwhile = () => {
      if (changes-- <= 0) return;
      server.rollout.metadata.generation++;
      server.rollout.status.observedGeneration = String(server.rollout.metadata.generation);
    };
    expect(await sinkAt(server).deliver(message(), never)).toBe('acknowledged');
    expect(server.changes).toHaveLength(1);
  });

  it('gives up for now when it changes all the time', async () => {
    server.meanwhile = () => {
      server.rollout.metadata.generation++;
      server.rollout.status.observedGeneration = String(server.rollout.metadata.generation);
    };
    expect(await failureOf(sinkAt(server).deliver(message(), never))).toMatchObject({ name: 'RetryableError', code: 'conflict' });
  });

  it('waits for a controller that has not seen the newest spec, and does nothing meanwhile', async () => {
    server.rollout.metadata.generation = 4;
    expect(await failureOf(sinkAt(server).deliver(message(), never))).toMatchObject({ name: 'RetryableError', code: 'not_observed' });
    expect(server.changes).toEqual([]);
  });

  it('nudges a controller that has missed the abort', async () => {
    server.isAttentive = false;
    expect(await sinkAt(server).deliver(message(), never)).toBe('acknowledged');
    expect(server.changes).toHaveLength(2);
    expect(server.changes[1]).toContain('/status/message');
    expect(server.rollout.status).toMatchObject({ phase: 'Degraded', abort: true });
  });

  it('asks whether it may still act right before it acts', async () => {
    const asked: number[] = [];
    const error = await failureOf(
      sinkAt(server).deliver(
        message(),
        attempt(never.abort, () => asked.push(1) < 0),
      ),
    );
    expect(error).toMatchObject({ code: 'stale' });
    expect(asked.length).toBeGreaterThan(0);
    expect(server.changes).toEqual([]);
  });

  it('tells in the cluster why', async () => {
    await sinkAt(server).deliver(message({ link: 'https://slipstream.example/v1/rollouts/x/explanation' }), never);
    expect(server.events).toEqual([
      'https://slipstream.example/v1/rollouts/x/explanation errors POST /checkout: 31 of 400 against 2 of 4000',
    ]);
  });

  it('has acted all the same when it cannot tell', async () => {
    server.failing = { status: 403, on: 'POST' };
    const lost: unknown[] = [];
    expect(await sinkAt(server, {}, lost).deliver(message(), never)).toBe('acknowledged');
    expect(server.changes).toHaveLength(1);
    expect(lost).toHaveLength(1);
  });

  it('only tells of a hold', async () => {
    expect(await sinkAt(server).deliver(message({ action: 'hold' }), never)).toBe('confirmed');
    expect(server.changes).toEqual([]);
    expect(server.events).toHaveLength(1);
    const stale = message({ action: 'hold', target: { ...target, fence: 'older' } });
    expect(await failureOf(sinkAt(server).deliver(stale, never))).toMatchObject({ code: 'superseded' });
  });

  it.each([null, { ...target, kind: 'Deployment' } as const])('refuses what names no Rollout', async (other) => {
    expect(await failureOf(sinkAt(server).deliver(message({ target: other }), never))).toMatchObject({ code: 'refused' });
    expect(await failureOf(sinkAt(server).readBack(message({ target: other }), never.abort))).toMatchObject({ code: 'refused' });
  });
});
