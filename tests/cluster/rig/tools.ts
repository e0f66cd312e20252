/** Builds the real parts that the cluster tests meet: a Kubernetes API server, Argo Rollouts and Flagger, once for each set of versions. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PermanentError } from '../../../src/model/errors.ts';
import { lockFolder } from '../../../src/store/folder-lock.ts';
import { goCommand } from './go.ts';

const run = promisify(execFile);

const KUBERNETES = { version: 'v1.36.3', gitMajor: '1', gitMinor: '36' } as const;
const KUBERNETES_MODULE = join(import.meta.dirname, 'kubernetes');

interface Controller {
  readonly name: string;
  readonly module: string;
  readonly version: string;
  readonly command: string;
  /** Its custom resource definitions, in its module. */
  readonly crds: readonly string[];
}

const CONTROLLERS = [
  {
    name: 'argo-rollouts',
    module: 'github.com/argoproj/argo-rollouts',
    version: 'v1.9.0',
    command: './cmd/rollouts-controller',
    crds: ['rollout', 'experiment', 'analysis-run', 'analysis-template', 'cluster-analysis-template'].map(
      (kind) => `manifests/crds/${kind}-crd.yaml`,
    ),
  },
  {
    name: 'flagger',
    module: 'github.com/fluxcd/flagger',
    version: 'v1.44.0',
    command: './cmd/flagger',
    crds: ['artifacts/flagger/crd.yaml'],
  },
] as const satisfies readonly Controller[];

export type ControllerName = (typeof CONTROLLERS)[number]['name'];

export interface Tools {
  readonly directory: string;
  binary(name: 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | ControllerName): string;
  /** Files with custom resource definitions. */
  crds(name: ControllerName): readonly string[];
}

/** Where the tools of these versions are, or will be: outside the repository, so that every checkout shares them. */
export function toolsDirectory(env: NodeJS.ProcessEnv): string {
  if (env.SLIPSTREAM_TEST_TOOLS !== undefined && env.SLIPSTREAM_TEST_TOOLS !== '') return resolve(env.SLIPSTREAM_TEST_TOOLS);
  const versions = createHash('sha256')
    .update(JSON.stringify([KUBERNETES, CONTROLLERS]))
    .digest('hex')
    .slice(0, 12);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'slipstream', versions);
}

export function toolsIn(directory: string): Tools {
  return {
    directory,
    binary: (name) => binaryFile(directory, name, CONTROLLERS.find((each) => each.name === name)?.version ?? KUBERNETES.version),
    crds: (name) =>
      CONTROLLERS.filter((each) => each.name === name).flatMap(({ crds }) => crds.map((crd) => crdFile(directory, name, crd))),
  };
}

/** Thrown when the tools are neither there nor can be built here. */
export class NoGo extends Error {}

/**
 * Builds what is missing and says what it does. Takes about 10 minutes on two cores when nothing is there, and nothing when all is; a build that
 * was broken off goes on with the next binary. A second process waits for the first.
 */
export async function builtTools(env: NodeJS.ProcessEnv, say: (line: string) => void): Promise<Tools> {
  const directory = toolsDirectory(env);
  if (await isFinished(directory)) return toolsIn(directory);
  if (goCommand(env) === null)
    throw new NoGo('Go is not installed, so the Kubernetes API server and the controllers that these tests need cannot be built');
  await mkdir(join(directory, 'bin'), { recursive: true });
  const lock = await waitedFor(directory, say);
  try {
    if (await isFinished(directory)) return toolsIn(directory);
    const startedAt = performance.now();
    say(`building the tools of the cluster tests in ${directory}: about 10 minutes on two cores, once`);
    await buildKubernetes(directory, say);
    for (const controller of CONTROLLERS) await buildController(directory, controller, say);
    await writeFile(join(directory, 'finished.json'), JSON.stringify({ KUBERNETES, CONTROLLERS }));
    say(`tools of the cluster tests: all built after ${seconds(startedAt)}`);
    return toolsIn(directory);
  } finally {
    lock.release();
  }
}

/** Also of the right versions: a folder that was named by hand may be old. */
async function isFinished(directory: string): Promise<boolean> {
  const marker = await readFile(join(directory, 'finished.json'), 'utf8').catch(() => null);
  return marker === JSON.stringify({ KUBERNETES, CONTROLLERS });
}

async function waitedFor(directory: string, say: (line: string) => void): Promise<{ release(): void }> {
  for (let isTold = false; ; await new Promise((again) => setTimeout(again, 500))) {
    try {
      return lockFolder(directory);
    } catch (error) {
      if (!(error instanceof PermanentError) || error.code !== 'state_locked') throw error;
    }
    if (!isTold) say('another process builds the tools of the cluster tests: waiting for it');
    isTold = true;
  }
}

/** The module beside this file pins what Kubernetes itself takes from folders of its repository, which `go install` refuses. */
async function buildKubernetes(directory: string, say: (line: string) => void): Promise<void> {
  const { version, gitMajor, gitMinor } = KUBERNETES;
  // Without these the server says that it is v0.0.0-master.
  const says = Object.entries({ gitVersion: version, gitMajor, gitMinor }).map(
    ([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`,
  );
  const from = { folder: KUBERNETES_MODULE, version, flags: says };
  await build({ ...from, name: 'etcd', command: 'go.etcd.io/etcd/server/v3', directory, say });
  for (const name of ['kube-apiserver', 'kube-controller-manager']) {
    await build({ ...from, name, command: `k8s.io/kubernetes/cmd/${name}`, directory, say });
  }
}

/** Built as the main module, since its replacements of other modules count only then; that needs a folder that can be written. */
async function buildController(directory: string, controller: Controller, say: (line: string) => void): Promise<void> {
  const { name, module, version, command } = controller;
  const { stdout } = await run(goCommand() ?? 'go', ['mod', 'download', '-json', `${module}@${version}`], { cwd: directory });
  const { Dir: downloaded } = JSON.parse(stdout) as { Dir: string };
  for (const crd of controller.crds) {
    await mkdir(join(directory, 'crds', name), { recursive: true });
    await cp(join(downloaded, crd), crdFile(directory, name, crd));
  }
  const folder = await mkdtemp(join(directory, `${name}-`));
  try {
    await cp(downloaded, folder, { recursive: true });
    await run('chmod', ['-R', 'u+w', folder]);
    await build({ name, command, version, folder, flags: [], directory, say });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Build {
  readonly name: string;
  readonly command: string;
  readonly version: string;
  readonly folder: string;
  readonly flags: readonly string[];
  readonly directory: string;
  say(line: string): void;
}

async function build({ name, command, version, folder, flags, directory, say }: Build): Promise<void> {
  const binary = binaryFile(directory, name, version);
  if (await exists(binary)) return;
  const startedAt = performance.now();
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...flags].join(' '), '-o', `${binary}.part`, command];
  await run(goCommand() ?? 'go', args, { cwd: folder, maxBuffer: 16 * 2 ** 20 });
  await rename(`${binary}.part`, binary);
  say(`  ${name} of ${version} built in ${seconds(startedAt)}`);
}

/** The version is in the name: a folder that was named by hand may hold older ones. */
function binaryFile(directory: string, name: string, version: string): string {
  return join(directory, 'bin', `${name}-${version}`);
}

function crdFile(directory: string, name: string, crd: string): string {
  return join(directory, 'crds', name, basename(crd));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(0)} s`;
}

if (import.meta.main) {
  await builtTools(process.env, (line) => process.stdout.write(`${line}\n`));
}
