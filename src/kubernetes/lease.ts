/** Of several replicas the holder of a Lease acts first; the others keep watch over whether it still does. */
import { RetryableError } from '../model/errors.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import { microTime } from './event.ts';
import { type KubernetesApi, type KubernetesObject, KubernetesRefusal } from './kubernetes-api.ts';

/** The same proportions as client-go's leader election: a lease of 15 s that its holder gives up believing in after 10 s. */
const LEASE_SEC = 15;
const BELIEVED_MS: DurationMs = 10_000;
const LOOK_MS: DurationMs = 2_000;
const CALL_MS: DurationMs = 5_000;
/** Giving it up in time saves others a wait of 15 s and nothing more: our own stop must stay below 10 s in all. */
const GIVE_UP_MS: DurationMs = 1_500;
const LONGEST_LEASE_SEC = 600;

interface Lease extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface LeaseParts {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly name: string;
  /** Like no other process's, nor that of this one before it was started again. */
  readonly identity: string;
  now(): EpochMs;
  monotonicMs(): DurationMs;
  /** Runs `task` once after a wait, and returns what cancels it. */
  schedule(task: () => void, waitMs: DurationMs): () => void;
  /** Uniform in [0, 1), for jitter. */
  random(): number;
  /** It was won or lost. */
  onTurn(isHolder: boolean): void;
  onTrouble(error: Error): void;
}

/**
 * Whoever holds it may stop being heard at any time, so holding it only saves others from acting too; that nothing is done twice rests on other things.
 * Clocks of machines are never compared: another's lease is over when it was not seen to change for as long as it says, by our own monotonic clock.
 */
export class LeaseHolder {
  readonly #parts: LeaseParts;
  readonly #path: string;
  readonly #abort = new AbortController();
  #renewedAt: DurationMs | null = null;
  #wasHolder = false;
  /** Of another's lease: as it was last seen, and since when it has not changed. */
  #seen: { readonly version: string; readonly since: DurationMs } | null = null;
  #cancel: (() => void) | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: LeaseParts) {
    this.#parts = parts;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(parts.namespace)}/leases`;
  }

  start(): void {
    this.#running = this.#turn();
  }

  /** False when it was not renewed for 10 s, for instance because this process stood still. */
  isHolder(): boolean {
    return this.#renewedAt !== null && this.#parts.monotonicMs() - this.#renewedAt < BELIEVED_MS;
  }

  /** Gives it up, so that another need not wait for its end. Never throws. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#cancel?.();
    await this.#running;
    if (!this.isHolder()) return;
    this.#renewedAt = null;
    const options = { abort: AbortSignal.timeout(GIVE_UP_MS), timeoutMs: GIVE_UP_MS };
    try {
      const lease = await this.#parts.api.get<Lease>(`${this.#path}/${this.#parts.name}`, options);
      if (lease?.spec?.holderIdentity !== this.#parts.identity) return;
      await this.#replace(lease, { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 }, options);
    } catch (error) {
      this.#trouble(error);
    }
  }

  async #turn(): Promise<void> {
    const startedAt = this.#parts.monotonicMs();
    try {
      if (await this.#looked(startedAt)) this.#renewedAt = startedAt;
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#trouble(error);
    }
    const isHolder = this.isHolder();
    if (isHolder !== this.#wasHolder) this.#parts.onTurn(isHolder);
    this.#wasHolder = isHolder;
    if (this.#abort.signal.aborted) return;
    this.#cancel = this.#parts.schedule(() => this.start(), LOOK_MS * (1 + this.#parts.random() / 4));
  }

  /** True when it is ours from now on. */
  async #looked(at: DurationMs): Promise<boolean> {
    const { api, name, identity } = this.#parts;
    const options = { abort: this.#abort.signal, timeoutMs: CALL_MS };
    const lease = await api.get<Lease>(`${this.#path}/${name}`, options);
    const renewTime = microTime(this.#parts.now());
    const ours = { holderIdentity: identity, leaseDurationSeconds: LEASE_SEC, renewTime };
    try {
      if (lease === null) {
        const spec = { ...ours, acquireTime: renewTime, leaseTransitions: 0 };
        await api.create(this.#path, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec }, options);
      } else if (lease.spec?.holderIdentity === identity) {
        await this.#replace(lease, { ...lease.spec, ...ours }, options);
      } else if (this.#isOver(lease, at)) {
        const leaseTransitions = (lease.spec?.leaseTransitions ?? 0) + 1;
        await this.#replace(lease, { ...ours, acquireTime: renewTime, leaseTransitions }, options);
      } else {
        this.#renewedAt = null;
        return false;
      }
    } catch (error) {
      // Another was faster.
      if (error instanceof KubernetesRefusal && error.status === 409) return false;
      throw error;
    }
    this.#seen = null;
    return true;
  }

  #isOver({ metadata: { uid = '', resourceVersion = '' }, spec }: Lease, at: DurationMs): boolean {
    if ((spec?.holderIdentity ?? '') === '') return true;
    const version = `${uid} ${resourceVersion}`;
    if (this.#seen?.version !== version) {
      this.#seen = { version, since: at };
      return false;
    }
    const lastsSec = Math.min(Math.max(spec?.leaseDurationSeconds ?? LEASE_SEC, 1), LONGEST_LEASE_SEC);
    return at - this.#seen.since > lastsSec * 1_000;
  }

  /** Only while it is as it was read. */
  async #replace(
    lease: Lease,
    spec: Lease['spec'],
    options: { readonly abort: AbortSignal; readonly timeoutMs: DurationMs },
  ): Promise<void> {
    const { name, namespace } = this.#parts;
    if (lease.metadata.resourceVersion === undefined)
      throw new RetryableError('answer', `lease ${namespace}/${name}: it has no resourceVersion`);
    await this.#parts.api.replace(`${this.#path}/${name}`, { ...lease, spec }, options);
  }

  #trouble(error: unknown): void {
    this.#parts.onTrouble(error instanceof Error ? error : new Error(String(error)));
  }
}
