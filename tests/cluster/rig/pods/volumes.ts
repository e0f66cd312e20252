/** Volumes of a pod as a kubelet lays them out: files of ConfigMaps, Secrets and tokens behind links that change all at once. */
import { chmod, chown, mkdir, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cluster } from '../cluster.ts';
import { fieldOf, type KeyItems, type PodObject, type ProjectedSource, type Volume } from './pod-object.ts';

/** What a ConfigMap or Secret that a pod must have is, before it is there. */
export class NotThereYet extends Error {}

export interface LaidVolume {
  readonly name: string;
  /** Folder to mount. */
  readonly folder: string;
  readonly isReadOnly: boolean;
  /** Looks for a change; true when there was one. */
  refresh(): Promise<boolean>;
}

export interface VolumeParts {
  readonly cluster: Cluster;
  readonly pod: PodObject;
  /** Of the pod. */
  readonly folder: string;
  /** Of this volume's claim, which outlasts pods. */
  readonly claimFolder: (claim: string) => Promise<string>;
}

interface File {
  readonly content: Buffer;
  readonly mode: number;
}

/** Throws NotThereYet while something it is made of is missing. */
export async function layVolume(volume: Volume, parts: VolumeParts): Promise<LaidVolume> {
  const { name } = volume;
  const folder = join(parts.folder, 'volumes', name);
  const group = parts.pod.spec.securityContext?.fsGroup ?? 0;
  const never = async () => false;
  if (volume.persistentVolumeClaim !== undefined) {
    const claim = await parts.claimFolder(volume.persistentVolumeClaim.claimName);
    await ownedByGroup(claim, group);
    return { name, folder: claim, isReadOnly: false, refresh: never };
  }
  await mkdir(folder, { recursive: true });
  if (volume.emptyDir !== undefined) {
    await chmod(folder, 0o777);
    await ownedByGroup(folder, group);
    return { name, folder, isReadOnly: false, refresh: never };
  }
  for (const path of nestedIn(name, parts.pod)) await mkdir(join(folder, path), { recursive: true });
  const [sources, defaultMode] = sourcesOf(volume);
  // Files with secrets are for the pod's group alone.
  const ownMode = group === 0 ? defaultMode : defaultMode | 0o440;
  let token: { readonly content: Buffer; readonly renewAtMs: number } | null = null;
  let known = '';
  const refresh = async (): Promise<boolean> => {
    const files = new Map<string, File>();
    for (const source of sources) {
      const { serviceAccountToken } = source;
      if (serviceAccountToken !== undefined) {
        if (token === null || performance.now() > token.renewAtMs) token = await requestToken(serviceAccountToken, parts);
        files.set(serviceAccountToken.path, { content: token.content, mode: group === 0 ? 0o600 : 0o640 });
      } else for (const [path, file] of await filesOf(source, parts, ownMode)) files.set(path, file);
    }
    const seen = JSON.stringify([...files].map(([path, { content, mode }]) => [path, mode, content.toString('base64')]));
    if (seen === known) return false;
    known = seen;
    await swapIn(folder, files, group);
    return true;
  };
  await refresh();
  return { name, folder, isReadOnly: true, refresh };
}

/** A kubelet makes the folders in it on which other volumes are mounted, as it can only be read once it is mounted. */
function nestedIn(name: string, { spec }: PodObject): readonly string[] {
  return [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ volumeMounts = [] }) => {
    const outer = volumeMounts.filter((mount) => mount.name === name).map(({ mountPath }) => `${mountPath}/`);
    const inner = volumeMounts.map(({ mountPath }) => mountPath);
    return outer.flatMap((path) => inner.filter((each) => each.startsWith(path)).map((each) => each.slice(path.length)));
  });
}

function sourcesOf(volume: Volume): [readonly ProjectedSource[], number] {
  const { configMap, secret, projected, downwardAPI } = volume;
  if (configMap !== undefined) return [[{ configMap }], configMap.defaultMode ?? 0o644];
  if (secret !== undefined) return [[{ secret: { ...secret, name: secret.secretName } }], secret.defaultMode ?? 0o644];
  if (projected !== undefined) return [projected.sources, projected.defaultMode ?? 0o644];
  if (downwardAPI !== undefined) return [[{ downwardAPI }], downwardAPI.defaultMode ?? 0o644];
  throw new Error(`volume ${volume.name}: ${Object.keys(volume).join(', ')} is not known to the runner of pods`);
}

async function filesOf(source: ProjectedSource, { cluster, pod }: VolumeParts, mode: number): Promise<Map<string, File>> {
  const { configMap, secret, downwardAPI } = source;
  const { namespace } = pod.metadata;
  if (downwardAPI !== undefined) {
    const contents = downwardAPI.items.map(({ path, fieldRef }) => [path, fieldOf(pod, fieldRef?.fieldPath ?? '', '')] as const);
    return new Map(contents.map(([path, text]) => [path, { content: Buffer.from(text), mode }]));
  }
  if (configMap !== undefined) {
    const contents = await contentsOf(cluster, namespace, 'configmaps', configMap.name, configMap.optional);
    return chosen(contents, configMap, mode);
  }
  if (secret !== undefined) return chosen(await contentsOf(cluster, namespace, 'secrets', secret.name, secret.optional), secret, mode);
  throw new Error(`projected volume: ${Object.keys(source).join(', ')} is not known to the runner of pods`);
}

/** What is in a ConfigMap or a Secret, by key; empty when it is optional and not there. */
export async function contentsOf(
  cluster: Cluster,
  namespace: string,
  kind: 'configmaps' | 'secrets',
  name: string,
  isOptional = false,
): Promise<Map<string, Buffer>> {
  const { status, body } = await cluster.call('GET', `/api/v1/namespaces/${namespace}/${kind}/${name}`);
  if (status === 404 && isOptional) return new Map();
  if (status !== 200) throw new NotThereYet(`${kind} ${name}: ${status}`);
  const encoded = Object.entries({ ...body.binaryData, ...(kind === 'secrets' && body.data) } as Record<string, string>);
  const plain = kind === 'configmaps' ? Object.entries((body.data ?? {}) as Record<string, string>) : [];
  return new Map([
    ...plain.map(([key, text]) => [key, Buffer.from(text)] as const),
    ...encoded.map(([key, text]) => [key, Buffer.from(text, 'base64')] as const),
  ]);
}

function chosen(contents: Map<string, Buffer>, { items, optional = false }: KeyItems, mode: number): Map<string, File> {
  if (items === undefined) return new Map([...contents].map(([key, content]) => [key, { content, mode }]));
  const files = new Map<string, File>();
  for (const item of items) {
    const content = contents.get(item.key);
    if (content !== undefined) files.set(item.path, { content, mode: item.mode ?? mode });
    else if (!optional) throw new NotThereYet(`there is no key ${item.key}`);
  }
  return files;
}

/** With `..data` renamed over, a reader sees all of the old files or all of the new ones. */
async function swapIn(folder: string, files: ReadonlyMap<string, File>, group: number): Promise<void> {
  const version = `..${new Date().toISOString().replaceAll(/[-:TZ]/g, '_')}${Math.floor(performance.now() * 1000) % 1000}`;
  for (const [path, { content, mode }] of files) {
    const file = join(folder, version, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await chown(file, 0, group);
    await chmod(file, mode);
  }
  await mkdir(join(folder, version), { recursive: true });
  const old = await readlink(join(folder, '..data')).catch(() => null);
  await symlink(version, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  const wanted = new Set([...files.keys()].map((path) => path.split('/')[0] ?? ''));
  const entries = await readdir(folder, { withFileTypes: true });
  const present = new Set(entries.filter((entry) => entry.isSymbolicLink() && !entry.name.startsWith('..')).map(({ name }) => name));
  for (const name of wanted) if (!present.has(name)) await symlink(join('..data', name), join(folder, name));
  for (const name of present) if (!wanted.has(name)) await rm(join(folder, name));
  if (old !== null) await rm(join(folder, old), { recursive: true, force: true });
}

async function requestToken(
  { audience, expirationSeconds = 3600 }: NonNullable<ProjectedSource['serviceAccountToken']>,
  { cluster, pod }: VolumeParts,
): Promise<{ content: Buffer; renewAtMs: number }> {
  const { namespace, name, uid } = pod.metadata;
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      expirationSeconds,
      ...(audience !== undefined && { audiences: [audience] }),
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
    },
  };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.spec.serviceAccountName ?? 'default'}/token`;
  const answer = await cluster.must('POST', path, body);
  // A kubelet renews when 80 % of the time is over.
  return { content: Buffer.from(answer.status.token as string), renewAtMs: performance.now() + expirationSeconds * 800 };
}

async function ownedByGroup(folder: string, group: number): Promise<void> {
  if (group === 0) return;
  await chown(folder, 0, group);
  await chmod(folder, 0o2775);
}
