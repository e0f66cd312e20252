/** What is in the image and what is not, for both architectures. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { type Architecture, type BuiltImage, imageIn, imageToolset } from './build-image.ts';
import { filesOf, type ImageFile, machineOf, packagesOf } from './image-files.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const IMAGES = { x64: imageToolset({ architecture: 'x64' }), arm64: imageToolset({ architecture: 'arm64' }) } as const;
const STATE = '/var/lib/slipstream';
/** Today 29 MB of ours. */
const MOST_BYTES = 60e6;

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly timestamp?: string; readonly component: { readonly name: string; readonly version: string } };
  readonly serialNumber?: string;
  readonly components: readonly { readonly name: string; readonly version: string; readonly licenses?: readonly unknown[] }[];
}

const manifest = json<Manifest>(join(REPOSITORY, 'package.json'));

describeWithTools('the files of the image', [IMAGES.x64, IMAGES.arm64], (directory) => {
  const images = new Map<Architecture, { readonly image: BuiltImage; readonly files: readonly ImageFile[] }>();
  beforeAll(async () => {
    for (const architecture of ['x64', 'arm64'] as const) {
      const image = await imageIn(directory(IMAGES[architecture]));
      images.set(architecture, { image, files: filesOf(image.root) });
    }
  });
  const of = (architecture: Architecture) => images.get(architecture) ?? expect.fail();
  const ours = () => of('x64').files.filter(({ path }) => /^\/(app|usr\/local\/bin\/slipstream|var)(\/|$)/.test(path));

  it('are the program, its packages, examples of configurations and a bill of materials', () => {
    const inApp = of('x64').files.flatMap(({ path }) => /^\/app\/([^/]+)$/.exec(path)?.[1] ?? []);
    expect(inApp).toEqual(['config', 'dist', 'node_modules', 'package.json', 'sbom.cdx.json']);
  });

  it('hold no source, typings, source maps, tests of ours, settings of a package manager or keys', () => {
    const unwanted = /\.([mc]?ts|map|pem|key)$|\/\.npmrc$|\/\.env|\/\.git|^\/app\/(tests|src|charts|docs)/;
    expect(ours().filter(({ path, kind }) => kind === 'file' && unwanted.test(path))).toEqual([]);
  });

  it.each(['x64', 'arm64'] as const)('include the native parts that run on %s and on nothing else', (architecture) => {
    const { image, files } = of(architecture);
    const native = files.filter(({ path }) => path.endsWith('.node'));
    expect(native.map(({ path }) => /(snappy|lz4)/.exec(path)?.[1]).sort()).toEqual(['lz4', 'snappy']);
    expect(native.map(({ path }) => machineOf(join(image.root, path)))).toEqual([architecture, architecture]);
  });

  it('include every package that the program names, in the version that was tested, and none that only development needs', () => {
    const packages = packagesOf(of('x64').image.root);
    const exact = Object.entries(manifest.dependencies).map(([name, version]) => `${name}@${version}`);
    expect(packages).toEqual(expect.arrayContaining(exact));
    const lock = json<{ packages: Record<string, { version: string; dev?: boolean }> }>(join(REPOSITORY, 'package-lock.json')).packages;
    const locked = Object.entries(lock).filter(([, { dev }]) => dev !== true);
    const known = new Set(locked.map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`));
    expect(packages.filter((name) => !known.has(name) || name.startsWith('node-linux'))).toEqual([]);
  });

  it.each(['x64', 'arm64'] as const)('are all named, with a licence, in the bill of materials for %s', (architecture) => {
    const { image } = of(architecture);
    const label = image.config.labels['io.slipstream.sbom'] ?? '';
    const sbom = json<Sbom>(join(image.root, label));
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'slipstream', version: manifest.version } } });
    expect(sbom.components.map(({ name, version }) => `${name}@${version}`).sort()).toEqual(packagesOf(image.root));
    expect(sbom.components.filter(({ licenses = [] }) => licenses.length === 0)).toEqual([]);
  });

  it('are the same from build to build, but for what differs between architectures', () => {
    const said = (architecture: Architecture) => {
      const { image, files } = of(architecture);
      const same = files.filter(({ path }) => path.startsWith('/app/') && !/linux-(x64|arm64)-gnu|sbom\.cdx|\.package-lock/.test(path));
      return same.map((file) => (file.kind === 'file' ? { ...file, text: readFileSync(join(image.root, file.path), 'latin1') } : file));
    };
    expect(said('arm64').map(({ path }) => path)).toEqual(said('x64').map(({ path }) => path));
    expect(JSON.stringify(said('arm64')) === JSON.stringify(said('x64'))).toBe(true);
  });

  it('tell of no time of their making', () => {
    const sbom = json<Sbom>(join(of('x64').image.root, '/app/sbom.cdx.json'));
    expect([sbom.serialNumber, sbom.metadata.timestamp]).toEqual([undefined, undefined]);
  });

  it('belong to root and are read by all, written by nobody else: only the state folder is the user’s', () => {
    const state = ours().find(({ path }) => path === STATE);
    expect(state).toMatchObject({ kind: 'folder', owner: of('x64').image.config.user });
    const rest = ours().filter(({ path, kind }) => path !== STATE && kind !== 'link');
    expect(rest.filter(({ owner, mode }) => owner !== '0:0' || (mode & 0o022) !== 0)).toEqual([]);
    expect(rest.filter(({ kind, mode }) => (mode & 0o004) === 0 || (kind === 'folder' && (mode & 0o001) === 0))).toEqual([]);
    expect(ours().filter(({ mode, kind }) => kind !== 'link' && (mode & 0o6000) !== 0)).toEqual([]);
  });

  it('are small', () => {
    expect(ours().reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(MOST_BYTES);
  });

  it('say who runs them, where they listen and of which version they are', () => {
    const { config, root } = of('x64').image;
    expect(config).toMatchObject({ user: '65532:65532', ports: [4317, 4318, 8080], volumes: [STATE] });
    expect(config.labels['org.opencontainers.image.version']).toBe(manifest.version);
    expect(readFileSync(join(REPOSITORY, 'charts/slipstream/Chart.yaml'), 'utf8')).toMatch(
      new RegExp(`^appVersion: "?${manifest.version.replaceAll('.', '\\.')}"?$`, 'm'),
    );
    expect(config.entrypoint).toEqual(['node', '--max-semi-space-size=4', '/app/dist/main.js']);
    expect(config.command).toEqual(['serve', '--config', '/etc/slipstream/slipstream.yaml']);
    expect(config.healthcheck?.command.slice(0, 3)).toEqual(['node', '/app/dist/main.js', 'health']);
    expect(readFileSync(join(root, '/app/dist/main.js'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

function json<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}
