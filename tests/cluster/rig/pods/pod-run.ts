/** One pod from its volumes to its end: containers are started, probed, started again and stopped in order. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '../cluster.ts';
import { ContainerProcess } from './container.ts';
import { environmentOf, expanded, quantity } from './environment.ts';
import type { ImageOf, PodImage } from './image.ts';
import type { PodNetwork, Sandbox } from './network.ts';
import { type Container, type PodObject, portOf } from './pod-object.ts';
import { act, keepProbing } from './probe.ts';
import { DNS_ADDRESS, SERVICE_NETWORK } from './relay.ts';
import { type LaidVolume, layVolume } from './volumes.ts';

const RESTART_MS = 500;

export interface PodRunParts {
  readonly cluster: Cluster;
  readonly network: PodNetwork;
  readonly imageOf: ImageOf;
  readonly pod: PodObject;
  /** Empty at first. */
  readonly folder: string;
  /** What its containers write is added to it. */
  readonly log: string;
  readonly claimFolder: (claim: string) => Promise<string>;
  /** Its status is another one. */
  readonly onChange: () => void;
}

interface Running {
  readonly container: Container;
  process: ContainerProcess | null;
  probes: { stop(): void }[];
  isStarted: boolean;
  isReady: boolean;
  restarts: number;
  exitCode: number | null;
  /** Why it is being started again, or not yet ready. */
  reason: string;
}

export class PodRun {
  readonly pod: PodObject;
  readonly #parts: PodRunParts;
  readonly #sandbox: Sandbox;
  readonly #volumes: readonly LaidVolume[];
  readonly #running: readonly Running[];
  readonly #startedAt = new Date().toISOString();
  #isStopping = false;

  private constructor(parts: PodRunParts, sandbox: Sandbox, volumes: readonly LaidVolume[]) {
    this.pod = parts.pod;
    this.#parts = parts;
    this.#sandbox = sandbox;
    this.#volumes = volumes;
    this.#running = parts.pod.spec.containers.map((container) => ({
      container,
      process: null,
      probes: [],
      isStarted: false,
      isReady: false,
      restarts: 0,
      exitCode: null,
      reason: 'ContainerCreating',
    }));
  }

  /** Throws NotThereYet while something that it mounts or names is missing. */
  static async start(parts: PodRunParts): Promise<PodRun> {
    const { pod, cluster, folder, claimFolder } = parts;
    const volumes: LaidVolume[] = [];
    for (const volume of pod.spec.volumes ?? []) volumes.push(await layVolume(volume, { cluster, pod, folder, claimFolder }));
    for (const container of pod.spec.containers) await environmentOf({ cluster, pod, container, address: '', before: {} });
    const sandbox = await parts.network.sandbox();
    const run = new PodRun(parts, sandbox, volumes);
    try {
      await run.#writeNames();
      for (const container of pod.spec.initContainers ?? []) await run.#init(container);
      for (const running of run.#running) await run.#launch(running);
    } catch (error) {
      await run.stop(0);
      throw error;
    }
    return run;
  }

  get address(): string {
    return this.#sandbox.address;
  }

  /** Whether Services may lead to it. */
  get isReady(): boolean {
    return !this.#isStopping && this.#running.every(({ isReady }) => isReady);
  }

  get phase(): 'Running' | 'Succeeded' | 'Failed' {
    if (this.#running.some(({ exitCode }) => exitCode === null)) return 'Running';
    return this.#running.every(({ exitCode }) => exitCode === 0) ? 'Succeeded' : 'Failed';
  }

  /** The process of its first container. */
  get process(): ContainerProcess {
    const process = this.#running[0]?.process ?? null;
    if (process === null) throw new Error(`pod ${this.pod.metadata.name} runs nothing now`);
    return process;
  }

  port(name: string | number): number {
    if (typeof name === 'number') return name;
    const container = this.#running.find(({ container: { ports = [] } }) => ports.some((port) => port.name === name));
    if (container === undefined) throw new Error(`pod ${this.pod.metadata.name} has no port ${name}`);
    return portOf(container.container, name);
  }

  /** True when a file in it is another one now. */
  async refresh(): Promise<boolean> {
    const changed = await Promise.all(this.#volumes.map((volume) => volume.refresh().catch(() => false)));
    return changed.includes(true);
  }

  status(): object {
    const at = this.#startedAt;
    const isReady = this.isReady;
    const condition = (type: string, isTrue: boolean) => ({ type, status: isTrue ? 'True' : 'False', lastTransitionTime: at });
    const conditions = [
      condition('PodScheduled', true),
      condition('Initialized', true),
      condition('ContainersReady', isReady),
      condition('Ready', isReady),
    ];
    const containerStatuses = this.#running.map(({ container, process, isStarted, isReady, restarts, exitCode, reason }) => ({
      name: container.name,
      image: container.image,
      imageID: container.image,
      ready: isReady,
      started: isStarted,
      restartCount: restarts,
      state:
        exitCode !== null
          ? { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', finishedAt: at } }
          : process === null
            ? { waiting: { reason } }
            : { running: { startedAt: process.startedAt } },
    }));
    const podIPs = [{ ip: this.address }];
    return { phase: this.phase, conditions, containerStatuses, podIP: this.address, podIPs, hostIP: '127.0.0.1', startTime: at };
  }

  /** preStop, SIGTERM, and SIGKILL when the time is over. */
  async stop(graceSeconds: number): Promise<void> {
    this.#isStopping = true;
    this.#parts.onChange();
    await Promise.all(this.#running.map((running) => this.#end(running, graceSeconds)));
    this.#sandbox.end();
  }

  async #end(running: Running, graceSeconds: number): Promise<void> {
    const { process, container } = running;
    for (const probe of running.probes.splice(0)) probe.stop();
    if (process === null || running.exitCode !== null) return;
    const hard = setTimeout(() => process.kill('SIGKILL'), graceSeconds * 1000);
    const hook = container.lifecycle?.preStop;
    if (hook?.sleep !== undefined) await new Promise((over) => setTimeout(over, (hook.sleep?.seconds ?? 0) * 1000));
    else if (hook !== undefined && graceSeconds > 0)
      await act(hook, { ...this.#handlerParts(running, process), timeoutMs: graceSeconds * 1000 }).catch((error: unknown) => {
        running.reason = `FailedPreStopHook: ${error}`;
      });
    process.kill(graceSeconds === 0 ? 'SIGKILL' : 'SIGTERM');
    running.exitCode = (await process.ended).exitCode;
    running.isReady = false;
    clearTimeout(hard);
  }

  async #init(container: Container): Promise<void> {
    const { exitCode } = await (await this.#process(container, 0)).ended;
    if (exitCode !== 0) throw new Error(`${this.pod.metadata.name}: init container ${container.name} ended with ${exitCode}`);
  }

  async #launch(running: Running): Promise<void> {
    const { container } = running;
    const process = await this.#process(container, running.restarts);
    running.process = process;
    running.isStarted = container.startupProbe === undefined;
    running.isReady = running.isStarted && container.readinessProbe === undefined;
    void process.ended.then(({ exitCode }) => this.#ended(running, exitCode));
    if (container.startupProbe === undefined) this.#probe(running, process);
    else
      running.probes.push(
        keepProbing(container.startupProbe, this.#handlerParts(running, process), (state, reason) => {
          for (const probe of running.probes.splice(0)) probe.stop();
          if (state === 'failure') return this.#fail(running, process, `startup probe: ${reason}`);
          running.isStarted = true;
          running.isReady = container.readinessProbe === undefined;
          this.#parts.onChange();
          this.#probe(running, process);
        }),
      );
    this.#parts.onChange();
  }

  #probe(running: Running, process: ContainerProcess): void {
    const { readinessProbe, livenessProbe } = running.container;
    const parts = this.#handlerParts(running, process);
    if (readinessProbe !== undefined)
      running.probes.push(
        keepProbing(readinessProbe, parts, (state, reason) => {
          if (running.isReady === (state === 'success')) return;
          running.isReady = state === 'success';
          running.reason = reason;
          this.#parts.onChange();
        }),
      );
    if (livenessProbe !== undefined)
      running.probes.push(
        keepProbing(livenessProbe, parts, (state, reason) => {
          if (state === 'failure') this.#fail(running, process, `liveness probe: ${reason}`);
        }),
      );
  }

  /** As a kubelet ends what does not pass its probes: in order, and then it is started again. */
  #fail(running: Running, process: ContainerProcess, reason: string): void {
    running.reason = reason;
    for (const probe of running.probes.splice(0)) probe.stop();
    process.kill('SIGTERM');
    const hard = setTimeout(() => process.kill('SIGKILL'), this.pod.spec.terminationGracePeriodSeconds * 1000);
    void process.ended.then(() => clearTimeout(hard));
  }

  #ended(running: Running, exitCode: number): void {
    for (const probe of running.probes.splice(0)) probe.stop();
    running.isReady = false;
    if (this.#isStopping) return;
    const { restartPolicy } = this.pod.spec;
    if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exitCode === 0)) running.exitCode = exitCode;
    else {
      running.process = null;
      running.restarts += 1;
      running.reason = 'CrashLoopBackOff';
      setTimeout(() => {
        if (!this.#isStopping) this.#launch(running).catch((error: unknown) => this.#ended(running, error instanceof Error ? 128 : 1));
      }, RESTART_MS * Math.min(10, running.restarts));
    }
    this.#parts.onChange();
  }

  #handlerParts({ container }: Running, process: ContainerProcess) {
    return { network: this.#parts.network, address: this.address, container, process };
  }

  async #process(container: Container, restarts: number): Promise<ContainerProcess> {
    const { cluster, pod, folder, imageOf } = this.#parts;
    const image = imageOf(container.image);
    if (image === null) throw new Error(`pod ${pod.metadata.name}: there is no image ${container.image}`);
    const before = {
      ...image.env,
      HOSTNAME: pod.spec.hostname ?? pod.metadata.name,
      KUBERNETES_SERVICE_HOST: `${SERVICE_NETWORK}.1`,
      KUBERNETES_SERVICE_PORT: '443',
      KUBERNETES_SERVICE_PORT_HTTPS: '443',
    };
    const env = await environmentOf({ cluster, pod, container, address: this.address, before });
    const own = join(folder, `${container.name}-${restarts}`);
    await mkdir(own, { recursive: true });
    const security = { ...pod.spec.securityContext, ...container.securityContext };
    return ContainerProcess.start({
      image,
      argv: commandOf(container, image).map((each) => expanded(each, env)),
      env,
      mounts: this.#mountsOf(container),
      etc: join(folder, 'etc'),
      user: { uid: security.runAsUser ?? image.user.uid, gid: security.runAsGroup ?? image.user.gid },
      workingDir: container.workingDir ?? image.workingDir,
      isRootReadOnly: security.readOnlyRootFilesystem ?? false,
      mayGainPrivileges: security.allowPrivilegeEscalation ?? true,
      memoryBytes: quantity(container.resources?.limits?.memory ?? '0'),
      folder: own,
      log: this.#parts.log,
      enter: this.#sandbox.enter,
    });
  }

  #mountsOf({ name, volumeMounts = [] }: Container) {
    return volumeMounts.map((mount) => {
      const volume = this.#volumes.find((each) => each.name === mount.name);
      if (volume === undefined) throw new Error(`container ${name} mounts ${mount.name}, which the pod has not`);
      return { from: volume.folder, to: mount.mountPath, isReadOnly: volume.isReadOnly || (mount.readOnly ?? false) };
    });
  }

  async #writeNames(): Promise<void> {
    const { metadata, spec } = this.pod;
    const folder = join(this.#parts.folder, 'etc');
    await mkdir(folder, { recursive: true });
    const name = spec.hostname ?? metadata.name;
    const domain = `${metadata.namespace}.svc.cluster.local`;
    const full = spec.subdomain === undefined ? '' : ` ${name}.${spec.subdomain}.${domain}`;
    await writeFile(join(folder, 'hosts'), `127.0.0.1 localhost\n${this.address}${full} ${name}\n`);
    await writeFile(join(folder, 'hostname'), `${name}\n`);
    const search = `search ${domain} svc.cluster.local cluster.local`;
    await writeFile(join(folder, 'resolv.conf'), `nameserver ${DNS_ADDRESS}\n${search}\noptions ndots:5\n`);
  }
}

/** A command takes the place of the entry point, and of the image's arguments too. */
function commandOf({ command, args }: Container, image: PodImage): readonly string[] {
  if (command !== undefined) return [...command, ...(args ?? [])];
  return [...image.entrypoint, ...(args ?? image.cmd)];
}
