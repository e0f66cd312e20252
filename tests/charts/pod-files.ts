/** The files a pod of the chart would find below `/etc/slipstream`, laid out in a folder: so its configuration is loaded as there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Manifest, ofKind } from './manifests.ts';

const ETC = '/etc/slipstream';
const SLO_FILE = `apiVersion: slipstream.dev/v1
kind: ServiceObjectives
metadata: { name: payments }
spec: { service: payments, objectives: ["p99 < 1s"] }
`;

interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string; readonly items?: readonly { readonly key: string; readonly path: string }[] };
}

/**
 * Path of the process file. What others make (a Secret, a ConfigMap of another tool) is made up: for each file of a Secret that `config` names, a
 * content of its kind. `/etc/slipstream` within files becomes the folder, which the test removes.
 */
export function podFiles(manifests: readonly Manifest[], workload: Manifest): string {
  const root = mkdtempSync(join(tmpdir(), 'slipstream-pod-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const spec = workload.spec.template.spec;
  const volumes = new Map<string, Volume>((spec.volumes as readonly Volume[]).map((volume) => [volume.name, volume]));
  const write = (path: string, text: string): void => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text.replaceAll(ETC, join(root, ETC)));
  };
  const secretFiles: string[] = [];
  for (const { name, mountPath } of spec.containers[0].volumeMounts as readonly { name: string; mountPath: string }[]) {
    const { configMap, secret } = volumes.get(name) ?? {};
    if (configMap !== undefined)
      for (const [key, text] of Object.entries(dataOf(manifests, configMap.name))) write(join(mountPath, key), text);
    for (const { path } of secret?.items ?? []) secretFiles.push(join(mountPath, path));
  }
  const process = dataOf(manifests, volumes.get('config')?.configMap?.name ?? '')['slipstream.yaml'] ?? '';
  secretFiles.push(...(process.match(/\/etc\/slipstream\/secrets\/[^\s"'}]+/g) ?? []));
  for (const file of secretFiles) write(file, secretContent(file));
  return join(root, ETC, 'slipstream.yaml');
}

function dataOf(manifests: readonly Manifest[], name: string): Readonly<Record<string, string>> {
  const found = ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name === name);
  return found === undefined ? { 'payments.yaml': SLO_FILE } : found.data;
}

function secretContent(path: string): string {
  if (path.endsWith('/url')) return 'https://hooks.example.com/services/T0/B0/abcdefgh\n';
  if (path.endsWith('/secret')) return `whsec_${Buffer.alloc(32, 7).toString('base64')}\n`;
  if (path.endsWith('.crt')) return '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n';
  return 'a-token-of-more-than-sixteen-characters\n';
}
