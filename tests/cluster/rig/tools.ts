/** The real parts that the cluster tests meet: a Kubernetes API server, Argo Rollouts and Flagger. */

import { cp, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { goBuild, goBuildAsMain, goModule, missingGo } from '../../tools/go.ts';
import type { Say, Toolset } from '../../tools/toolset.ts';

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

export const CONTROLLERS = [
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

export const CLUSTER_TOOLS: Toolset = {
  name: 'cluster',
  versions: [KUBERNETES, CONTROLLERS],
  takes: 'about 10 minutes on two cores',
  missing: missingGo,
  build: async (directory, say) => {
    await buildKubernetes(directory, say);
    for (const controller of CONTROLLERS) await buildController(directory, controller, say);
  },
};

export function toolsIn(directory: string): Tools {
  return {
    directory,
    binary: (name) => binaryFile(directory, name, CONTROLLERS.find((each) => each.name === name)?.version ?? KUBERNETES.version),
    crds: (name) =>
      CONTROLLERS.filter((each) => each.name === name).flatMap(({ crds }) => crds.map((crd) => crdFile(directory, name, crd))),
  };
}

/** The module beside this file pins what Kubernetes itself takes from folders of its repository, which `go install` refuses. */
async function buildKubernetes(directory: string, say: Say): Promise<void> {
  const { version, gitMajor, gitMinor } = KUBERNETES;
  // Without these the server says that it is v0.0.0-master.
  const flags = Object.entries({ gitVersion: version, gitMajor, gitMinor }).map(
    ([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`,
  );
  const commands = {
    etcd: 'go.etcd.io/etcd/server/v3',
    'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
    'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  };
  for (const [name, command] of Object.entries(commands)) {
    const file = binaryFile(directory, name, version);
    await goBuild({ file, command, folder: KUBERNETES_MODULE, flags, title: `${name} of ${version} built`, say });
  }
}

async function buildController(directory: string, controller: Controller, say: Say): Promise<void> {
  const { name, module, version, command } = controller;
  const downloaded = await goModule(module, version, directory);
  for (const crd of controller.crds) {
    await mkdir(join(directory, 'crds', name), { recursive: true });
    await cp(join(downloaded, crd), crdFile(directory, name, crd));
  }
  const file = binaryFile(directory, name, version);
  await goBuildAsMain({ file, downloaded, command, title: `${name} of ${version} built`, say });
}

/** The version is in the name: a folder that was named by hand may hold older ones. */
function binaryFile(directory: string, name: string, version: string): string {
  return join(directory, 'bin', `${name}-${version}`);
}

function crdFile(directory: string, name: string, crd: string): string {
  return join(directory, 'crds', name, basename(crd));
}
