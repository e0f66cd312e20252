/** A Kubernetes cluster without nodes on loopback: a real API server and, as asked for, real controllers. One for each test file. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { parseAllDocuments } from 'yaml';
import type { KubernetesConfig } from '../../../src/config/sink-config.ts';
import { freePorts } from '../../support/free-ports.ts';
import { Program } from './processes.ts';
import type { ControllerName, Tools } from './tools.ts';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what an API server answers has as many forms as it has kinds.
  readonly body: any;
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export interface ClusterOptions {
  readonly tools: Tools;
  /** With it Deployments make ReplicaSets and pods; none without. True by default. */
  readonly hasControllers?: boolean;
}

/** A service account with what it is allowed, as a program in a pod would have it. */
export interface Account {
  readonly token: string;
  readonly kubernetes: KubernetesConfig;
}

export class Cluster {
  readonly url: string;
  /** Folder of everything: logs, data, certificates. */
  readonly folder: string;
  readonly kubeconfig: string;
  readonly caFile: string;
  readonly #tools: Tools;
  readonly #port: number;
  readonly #etcdPort: number;
  readonly #adminToken = randomBytes(24).toString('hex');
  readonly #programs = new Map<string, Program>();
  readonly #loops: { stop(): Promise<void> }[] = [];
  #agent: Agent | null = null;
  #count = 0;

  private constructor(tools: Tools, folder: string, port: number, etcdPort: number) {
    this.#tools = tools;
    this.folder = folder;
    this.#port = port;
    this.#etcdPort = etcdPort;
    this.url = `https://127.0.0.1:${port}`;
    this.kubeconfig = join(folder, 'kubeconfig');
    this.caFile = join(folder, 'certs/apiserver.crt');
  }

  /** Ready to be used after about 3 s; throws with the end of the log of what did not start. A port that was taken in between is why it is tried again. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    for (let left = 2; ; left--) {
      try {
        return await Cluster.#started(options);
      } catch (error) {
        if (left === 0 || !String(error).includes('ended before')) throw error;
      }
    }
  }

  static async #started({ tools, hasControllers = true }: ClusterOptions): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'slipstream-cluster-'));
    const [port = 0, etcdPort = 0, peerPort = 0] = await freePorts(3);
    const cluster = new Cluster(tools, folder, port, etcdPort);
    try {
      await cluster.#writeKeys();
      await cluster.#startEtcd(peerPort);
      await cluster.startApiServer();
      await cluster.#writeKubeconfig();
      if (hasControllers) await cluster.#startControllerManager();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    for (const program of [...this.#programs.values()].reverse()) await program.stop('SIGKILL');
    await this.#agent?.destroy();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** As a crash would, or as an upgrade would: then watches are closed properly. */
  async stopApiServer(how: 'crash' | 'orderly'): Promise<void> {
    await this.#programs.get('kube-apiserver')?.stop(how === 'crash' ? 'SIGKILL' : 'SIGTERM');
  }

  /** On the same port and with the same data as before. */
  async startApiServer(): Promise<void> {
    const program = await this.#run('kube-apiserver', 700, [
      `--etcd-servers=http://127.0.0.1:${this.#etcdPort}`,
      `--secure-port=${this.#port}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--cert-dir=certs',
      '--authorization-mode=RBAC',
      '--token-auth-file=tokens.csv',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-account-key-file=accounts.pub',
      '--service-account-signing-key-file=accounts.key',
      '--endpoint-reconciler-type=none',
    ]);
    await program.until('ready', async () => {
      if (this.#agent === null) this.#agent = new Agent({ connect: { ca: await readFile(this.caFile, 'utf8') } });
      return (await this.call('GET', '/readyz')).status === 200;
    });
  }

  /** One of the real controllers for rollouts, with its custom resource definitions; metrics and health on free ports. */
  async startController(name: ControllerName, args: readonly string[] = []): Promise<void> {
    for (const file of this.#tools.crds(name)) await this.apply(await readFile(file, 'utf8'));
    const [port, second] = await freePorts(2);
    const own =
      name === 'argo-rollouts'
        ? [`--healthzPort=${port}`, `--metricsPort=${second}`, '--leader-elect=false', '--loglevel=info']
        : [`-port=${port}`, '-mesh-provider=kubernetes', '-log-level=info'];
    const program = await this.#run(name, 300, [
      name === 'flagger' ? '-kubeconfig=kubeconfig' : '--kubeconfig=kubeconfig',
      ...own,
      ...args,
    ]);
    const health = `http://127.0.0.1:${port}/healthz`;
    await program.until('healthy', async () => (await request(health)).statusCode === 200);
  }

  async stopController(name: ControllerName): Promise<void> {
    await this.#programs.get(name)?.stop('SIGKILL');
  }

  /** The end of what a program wrote: for a test's failure message. */
  async logTail(name: string, lines?: number): Promise<string> {
    return (await this.#programs.get(name)?.logTail(lines)) ?? '';
  }

  /** One request as an administrator. */
  async call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object | string,
    type = 'application/json',
  ): Promise<Answer> {
    const agent = this.#agent;
    if (agent === null) throw new Error('the API server was never ready');
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await request(this.url + path, {
      method,
      dispatcher: agent,
      headers: { authorization: `Bearer ${this.#adminToken}`, ...(text !== null && { 'content-type': type }) },
      body: text,
      headersTimeout: 20_000,
      bodyTimeout: 20_000,
    });
    const read = await answer.body.text();
    return { status: answer.statusCode, body: read.startsWith('{') ? JSON.parse(read) : read };
  }

  /** As `call`; throws unless the answer is 2xx. */
  async must(...args: Parameters<Cluster['call']>): Promise<Answer['body']> {
    const { status, body } = await this.call(...args);
    if (status >= 300) throw new Error(`${args[0]} ${args[1]}: ${status} ${typeof body === 'string' ? body : body.message}`);
    return body;
  }

  /** A new, empty namespace. */
  async namespace(): Promise<string> {
    const name = `test-${++this.#count}`;
    await this.must('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const manager = this.#programs.get('kube-controller-manager');
    const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
    await manager?.until(`making the account of ${name}`, async () => (await this.call('GET', account)).status === 200);
    return name;
  }

  /** Applies every document of a YAML file, new kinds included; what names no namespace goes into the one given. */
  async apply(yaml: string, namespace = 'default'): Promise<void> {
    for (const document of parseAllDocuments(yaml)) {
      const manifest = document.toJS() as Manifest | null;
      if (manifest !== null) await this.#applyOne(manifest, namespace);
    }
  }

  /** A service account with a token of its own, after `manifests` (roles and bindings that name it) were applied. */
  async account(namespace: string, name: string, manifests: string): Promise<Account> {
    await this.apply(JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }), namespace);
    await this.apply(manifests, namespace);
    const asked = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } };
    const answer = await this.must('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, asked);
    const token = answer.status.token as string;
    const tokenFile = join(this.folder, `${namespace}-${name}-${++this.#count}.token`);
    await writeFile(tokenFile, token, { mode: 0o600 });
    return { token, kubernetes: { server: this.url, tokenFile, caFile: this.caFile, lease: null } };
  }

  /** An account that may do everything. */
  async admin(): Promise<Account> {
    const tokenFile = join(this.folder, 'admin.token');
    await writeFile(tokenFile, this.#adminToken, { mode: 0o600 });
    return { token: this.#adminToken, kubernetes: { server: this.url, tokenFile, caFile: this.caFile, lease: null } };
  }

  /**
   * Does what kubelets would, until stopped: pods of the namespace become ready as soon as they are there, but for those that `mayStart` keeps back.
   */
  keepPodsReady(namespace: string, mayStart: (pod: Answer['body']) => boolean = () => true): { stop(): Promise<void> } {
    let isOn = true;
    const turn = async (): Promise<void> => {
      const pods = await this.call('GET', `/api/v1/namespaces/${namespace}/pods`);
      for (const pod of pods.body.items ?? []) {
        if (pod.status.phase === 'Pending' && pod.metadata.deletionTimestamp === undefined && mayStart(pod)) await this.makeReady(pod);
      }
    };
    const loop = (async () => {
      while (isOn) {
        // The API server may be away: that is what some tests are about.
        await turn().catch(() => undefined);
        await new Promise((again) => setTimeout(again, 100));
      }
    })();
    const stopper = {
      stop: () => {
        isOn = false;
        return loop;
      },
    };
    this.#loops.push(stopper);
    return stopper;
  }

  /** What a kubelet says of a pod whose containers are up. */
  async makeReady(pod: Answer['body']): Promise<void> {
    const at = new Date().toISOString();
    const conditions = ['Ready', 'ContainersReady', 'PodScheduled', 'Initialized'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: at,
    }));
    const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/status`;
    await this.call('PATCH', path, { status: { phase: 'Running', conditions } }, 'application/strategic-merge-patch+json');
  }

  async #applyOne(manifest: Manifest, namespace: string): Promise<void> {
    const path = await this.#pathOf(manifest, namespace);
    if (manifest.kind !== 'CustomResourceDefinition') {
      await this.must('PATCH', `${path}?fieldManager=tests&force=true`, JSON.stringify(manifest), 'application/apply-patch+yaml');
      return;
    }
    // Not by server-side apply: Flagger's file breaks lines of texts without indenting them, which reads as fields that do not exist.
    const { status, body } = await this.call('POST', path.slice(0, path.lastIndexOf('/')), manifest);
    if (status !== 201 && status !== 409) throw new Error(`making ${manifest.metadata.name}: ${status} ${body.message}`);
    const served = async () => {
      const conditions = (await this.call('GET', path)).body.status?.conditions ?? [];
      return conditions.some((each: { type: string; status: string }) => each.type === 'Established' && each.status === 'True');
    };
    await this.#programs.get('kube-apiserver')?.until(`serving ${manifest.metadata.name}`, served);
  }

  async #pathOf({ apiVersion, kind, metadata }: Manifest, namespace: string): Promise<string> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const { resources } = await this.must('GET', root);
    const resource = resources.find((each: { kind: string; name: string }) => each.kind === kind && !each.name.includes('/'));
    if (resource === undefined) throw new Error(`applying ${kind} ${metadata.name}: ${apiVersion} has no such kind`);
    const inside = resource.namespaced ? `/namespaces/${metadata.namespace ?? namespace}` : '';
    return `${root}${inside}/${resource.name}/${metadata.name}`;
  }

  async #run(name: Parameters<Tools['binary']>[0], memoryMiB: number, args: readonly string[]): Promise<Program> {
    const program = await Program.start(this.#tools.binary(name), args, { folder: this.folder, name, memoryMiB });
    this.#programs.set(name, program);
    return program;
  }

  async #writeKeys(): Promise<void> {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const inFolder = (name: string, text: string) => writeFile(join(this.folder, name), text, { mode: 0o600 });
    await inFolder('accounts.key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    await inFolder('accounts.pub', publicKey.export({ type: 'spki', format: 'pem' }).toString());
    await inFolder('tokens.csv', `${this.#adminToken},admin,admin,system:masters\n`);
  }

  async #writeKubeconfig(): Promise<void> {
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: this.url, 'certificate-authority': this.caFile } }],
      users: [{ name: 'admin', user: { token: this.#adminToken } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
      'current-context': 'test',
    };
    // Every JSON document is a YAML document.
    await writeFile(this.kubeconfig, JSON.stringify(config), { mode: 0o600 });
  }

  async #startEtcd(peerPort: number): Promise<void> {
    const [client, peer] = [`http://127.0.0.1:${this.#etcdPort}`, `http://127.0.0.1:${peerPort}`];
    await this.#run('etcd', 200, [
      '--data-dir=etcd',
      '--unsafe-no-fsync',
      '--log-level=warn',
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ]);
  }

  async #startControllerManager(): Promise<void> {
    const names = [
      ...['deployment', 'replicaset', 'statefulset', 'disruption', 'serviceaccount', 'namespace', 'garbage-collector', 'endpointslice'].map(
        (name) => `${name}-controller`,
      ),
      'root-ca-certificate-publisher-controller',
    ];
    const program = await this.#run('kube-controller-manager', 200, [
      '--kubeconfig=kubeconfig',
      '--secure-port=0',
      '--leader-elect=false',
      '--service-account-private-key-file=accounts.key',
      '--root-ca-file=certs/apiserver.crt',
      `--controllers=${names.join(',')}`,
    ]);
    const account = '/api/v1/namespaces/default/serviceaccounts/default';
    await program.until('making accounts', async () => (await this.call('GET', account)).status === 200);
  }
}
