/** Runs the pods of some namespaces of a test cluster on this machine: a small kubelet, with what kube-proxy and the cluster's DNS do beside it. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer, Cluster } from '../cluster.ts';
import type { ImageOf } from './image.ts';
import { type Forward, PodNetwork } from './network.ts';
import type { PodObject } from './pod-object.ts';
import { PodRun } from './pod-run.ts';
import { type NetworkState, type RouteTarget, SERVICE_NETWORK } from './relay.ts';
import { NotThereYet } from './volumes.ts';

const NODE = 'this-machine';
const TURN_MS = 100;
/** Until what could not be started is tried again. */
const AGAIN_MS = 1_000;
/** A kubelet looks once a minute; here nobody wants to wait. */
const REFRESH_TURNS = 5;
const DOMAIN = 'svc.cluster.local';
const STRATEGIC = 'application/strategic-merge-patch+json';

export interface KubeletOptions {
  readonly cluster: Cluster;
  readonly imageOf: ImageOf;
  /** Ports of this machine's loopback that pods reach at a name and port of their own. */
  readonly hosts?: readonly { readonly name: string; readonly port: number; readonly machinePort: number }[];
}

interface Service {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly clusterIP: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly publishNotReadyAddresses?: boolean;
    readonly ports: readonly { readonly name?: string; readonly port: number; readonly targetPort: number | string }[];
  };
}

export class Kubelet {
  readonly #cluster: Cluster;
  readonly #imageOf: ImageOf;
  readonly #folder: string;
  readonly #network: PodNetwork;
  /** Routes and names that no Service of the cluster stands for. */
  readonly #fixed: NetworkState;
  readonly #namespaces = new Set<string>();
  readonly #runs = new Map<string, PodRun | 'starting'>();
  readonly #stopping = new Set<string>();
  readonly #told = new Map<string, string>();
  /** Why pods do not start, by name; the last reason. */
  readonly #problems = new Map<string, string>();
  #services: readonly Service[] = [];
  #loop: Promise<void> = Promise.resolve();
  #isOn = true;

  private constructor(options: KubeletOptions, folder: string, network: PodNetwork, fixed: NetworkState) {
    this.#cluster = options.cluster;
    this.#imageOf = options.imageOf;
    this.#folder = folder;
    this.#network = network;
    this.#fixed = fixed;
  }

  static async start(options: KubeletOptions): Promise<Kubelet> {
    // Sockets in it must have short names.
    const folder = await mkdtemp(join(tmpdir(), 'pods-'));
    const network = await PodNetwork.start(folder);
    const socket = await network.host(Number(new URL(options.cluster.url).port));
    const services = [{ address: `${SERVICE_NETWORK}.1`, port: 443, targets: [{ socket }] }];
    const names: Record<string, string[]> = { [`kubernetes.default.${DOMAIN}`]: [`${SERVICE_NETWORK}.1`] };
    for (const [index, { name, port, machinePort }] of (options.hosts ?? []).entries()) {
      const address = `${SERVICE_NETWORK}.${250 - index}`;
      names[name] = [address];
      services.push({ address, port, targets: [{ socket: await network.host(machinePort) }] });
    }
    const kubelet = new Kubelet(options, folder, network, { names, services });
    network.tell(kubelet.#fixed);
    kubelet.#loop = kubelet.#keepOn();
    return kubelet;
  }

  /** Ends all pods at once; what they left on volumes is gone. */
  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#loop;
    await Promise.all(this.#all().map((run) => run.stop(0)));
    await this.#network.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  serve(namespace: string): void {
    this.#namespaces.add(namespace);
  }

  /** A pod that runs; throws with the reason why it does not. */
  pod(namespace: string, name: string): PodRun {
    const found = this.pods(namespace).find(({ pod }) => pod.metadata.name === name);
    if (found === undefined)
      throw new Error(`pod ${name} does not run: ${this.#problems.get(`${namespace}/${name}`) ?? 'it is not known'}`);
    return found;
  }

  /** All that run, and are not being stopped. */
  pods(namespace: string): readonly PodRun[] {
    const all = [...this.#runs.entries()].filter(([uid]) => !this.#stopping.has(uid)).map(([, run]) => run);
    return all.filter((run): run is PodRun => run !== 'starting' && run.pod.metadata.namespace === namespace);
  }

  /** What the containers of a pod have written, also of one that is gone. */
  log(namespace: string, name: string): Promise<string> {
    return readFile(join(this.#folder, namespace, name, 'log'), 'utf8').catch(() => '');
  }

  /** Like `kubectl port-forward` to a Service, but that each connection goes to a pod that is ready then. */
  forward(namespace: string, service: string, port: number | string): Promise<Forward> {
    return this.#network.forward(() => {
      const found = this.#services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === service);
      const number = found?.spec.ports.find((each) => each.port === port || each.name === port);
      const [run] = found === undefined ? [] : this.#behind(found).filter(({ isReady }) => isReady);
      return number === undefined || run === undefined ? null : { address: run.address, port: run.port(number.targetPort) };
    });
  }

  /** To one pod, ready or not. */
  forwardPod(namespace: string, name: string, port: number | string): Promise<Forward> {
    return this.#network.forward(() => {
      const run = this.pods(namespace).find(({ pod }) => pod.metadata.name === name);
      return run === undefined ? null : { address: run.address, port: run.port(port) };
    });
  }

  problems(): string {
    return [...this.#problems].map(([name, reason]) => `${name}: ${reason}`).join('\n');
  }

  async #keepOn(): Promise<void> {
    for (let turn = 0; this.#isOn; turn++) {
      try {
        await Promise.all([...this.#namespaces].map((namespace) => this.#turn(namespace)));
        if (turn % REFRESH_TURNS === 0) await Promise.all(this.#all().map((run) => run.refresh()));
        this.#tellNetwork();
      } catch (error) {
        // The API server may be away; what runs goes on.
        this.#problems.set('turn', String(error));
      }
      await new Promise((again) => setTimeout(again, TURN_MS));
    }
  }

  async #turn(namespace: string): Promise<void> {
    const root = `/api/v1/namespaces/${namespace}`;
    const [pods, services, claims] = await Promise.all(
      ['pods', 'services', 'persistentvolumeclaims'].map((kind) => this.#cluster.must('GET', `${root}/${kind}`)),
    );
    this.#services = [...this.#services.filter(({ metadata }) => metadata.namespace !== namespace), ...services.items];
    for (const claim of claims.items) if (claim.status.phase === 'Pending') await this.#bind(claim);
    for (const pod of pods.items as readonly (PodObject & Answer['body'])[]) await this.#look(pod);
    for (const [uid, run] of this.#runs)
      if (run !== 'starting' && run.pod.metadata.namespace === namespace && !pods.items.some((pod: PodObject) => pod.metadata.uid === uid))
        await this.#end(run, 0);
  }

  async #look(pod: PodObject & Answer['body']): Promise<void> {
    const { uid, deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
    const run = this.#runs.get(uid);
    if (deletionTimestamp !== undefined) {
      if (run === 'starting' || this.#stopping.has(uid)) return;
      this.#stopping.add(uid);
      // Not waited for: other pods go on meanwhile.
      this.#retire(pod, run ?? null, deletionGracePeriodSeconds).catch((error: unknown) => this.#note(pod, error));
    } else if (run === undefined && pod.status.phase === 'Pending') {
      if (pod.spec.containers.some((each: { image: string }) => this.#imageOf(each.image) === null)) return this.#cluster.makeReady(pod);
      this.#runs.set(uid, 'starting');
      this.#begin(pod).catch((error: unknown) => {
        this.#note(pod, error);
        setTimeout(() => this.#runs.delete(uid), AGAIN_MS).unref();
      });
    } else if (run !== undefined && run !== 'starting') await this.#tell(run);
  }

  async #begin(pod: PodObject): Promise<void> {
    const { namespace, name } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    if (pod.spec.nodeName === undefined) {
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { apiVersion: 'v1', kind: 'Node', name: NODE } };
      await this.#cluster.must('POST', `${path}/binding`, binding);
    }
    const folder = join(this.#folder, namespace, name);
    await mkdir(folder, { recursive: true });
    let run: PodRun | null = null;
    run = await PodRun.start({
      cluster: this.#cluster,
      network: this.#network,
      imageOf: this.#imageOf,
      pod: { ...pod, spec: { ...pod.spec, nodeName: NODE } },
      folder: await mkdtemp(join(folder, 'run-')),
      log: join(folder, 'log'),
      claimFolder: async (claim) => {
        const bound = await this.#cluster.must('GET', `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${claim}`);
        if (bound.status.phase !== 'Bound') throw new NotThereYet(`the claim ${claim} is not bound`);
        const kept = join(this.#folder, 'claims', bound.metadata.uid);
        await mkdir(kept, { recursive: true });
        return kept;
      },
      onChange: () => {
        if (run !== null) void this.#tell(run).catch(() => undefined);
      },
    });
    this.#runs.set(pod.metadata.uid, run);
    this.#problems.delete(`${namespace}/${name}`);
    await this.#tell(run);
  }

  async #retire(pod: PodObject, run: PodRun | null, graceSeconds: number): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    if (run !== null) await this.#end(run, graceSeconds);
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid } };
    await this.#cluster.call('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}`, body);
    this.#stopping.delete(uid);
  }

  async #end(run: PodRun, graceSeconds: number): Promise<void> {
    const { uid } = run.pod.metadata;
    this.#stopping.add(uid);
    await run.stop(graceSeconds);
    await this.#tell(run).catch(() => undefined);
    this.#runs.delete(uid);
    this.#told.delete(uid);
  }

  async #tell(run: PodRun): Promise<void> {
    const { namespace, name, uid } = run.pod.metadata;
    const status = run.status();
    const text = JSON.stringify(status);
    if (this.#told.get(uid) === text) return;
    this.#told.set(uid, text);
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
    const { status: answer } = await this.#cluster.call('PATCH', path, { metadata: { uid }, status }, STRATEGIC);
    if (answer !== 200) this.#told.delete(uid);
  }

  async #bind(claim: Answer['body']): Promise<void> {
    const path = `/api/v1/namespaces/${claim.metadata.namespace}/persistentvolumeclaims/${claim.metadata.name}/status`;
    const { accessModes, resources } = claim.spec;
    await this.#cluster.must('PATCH', path, { status: { phase: 'Bound', accessModes, capacity: resources.requests } }, STRATEGIC);
  }

  #tellNetwork(): void {
    const names: Record<string, readonly string[]> = { ...this.#fixed.names };
    const routes = [...this.#fixed.services];
    for (const service of this.#services) {
      const { name, namespace } = service.metadata;
      const domain = `${name}.${namespace}.${DOMAIN}`;
      const { clusterIP, ports, publishNotReadyAddresses = false } = service.spec;
      const behind = this.#behind(service).filter((run) => run.isReady || publishNotReadyAddresses);
      if (clusterIP === 'None') {
        names[domain] = behind.map((run) => run.address);
        for (const run of behind) if (run.pod.spec.subdomain === name) names[`${run.pod.spec.hostname}.${domain}`] = [run.address];
        continue;
      }
      names[domain] = [clusterIP];
      for (const { port, targetPort } of ports) {
        const targets: RouteTarget[] = behind.map((run) => ({ address: run.address, port: run.port(targetPort) }));
        routes.push({ address: clusterIP, port, targets });
      }
    }
    this.#network.tell({ names, services: routes });
  }

  #behind({ metadata, spec }: Service): readonly PodRun[] {
    if (spec.selector === undefined) return [];
    const wanted = Object.entries(spec.selector);
    return this.pods(metadata.namespace).filter(({ pod }) => wanted.every(([label, value]) => pod.metadata.labels?.[label] === value));
  }

  #all(): readonly PodRun[] {
    return [...this.#runs.values()].filter((run) => run !== 'starting');
  }

  #note(pod: PodObject, error: unknown): void {
    this.#problems.set(`${pod.metadata.namespace}/${pod.metadata.name}`, String(error));
  }
}
