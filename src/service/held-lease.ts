/** The lease of this replica, told of in log and metrics. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { KubernetesConfig } from '../config/sink-config.ts';
import type { KubernetesApi } from '../kubernetes/kubernetes-api.ts';
import { LeaseHolder } from '../kubernetes/lease.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { SYSTEM_CLOCK } from './clock.ts';

/** Null without a lease in the configuration. It is not taken before it is started. */
export function heldLease(api: KubernetesApi, { lease }: KubernetesConfig, telemetry: Telemetry): LeaseHolder | null {
  if (lease === null) return null;
  const identity = `${hostname()}_${randomBytes(6).toString('hex')}`;
  telemetry.set('lease_held', 0);
  return new LeaseHolder({
    api,
    ...lease,
    identity,
    now: () => SYSTEM_CLOCK.now(),
    monotonicMs: () => SYSTEM_CLOCK.monotonicMs(),
    schedule: (task, waitMs) => {
      const timer = setTimeout(task, waitMs);
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
    onTurn: (isHolder) => {
      telemetry.set('lease_held', isHolder ? 1 : 0);
      telemetry.log.info({ lease: `${lease.namespace}/${lease.name}`, identity }, isHolder ? 'lease taken' : 'lease lost');
    },
    onTrouble: (error) => {
      telemetry.add('lease_failures_total', 1);
      telemetry.log.warn({ lease: `${lease.namespace}/${lease.name}`, error: error.message }, 'the lease could not be looked at');
    },
  });
}
