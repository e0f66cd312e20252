/** What a real broker needs on this machine: Java, and Kafka's jars, which Maven fetches once. Installs what is missing where it may. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Toolset } from '../../tools/toolset.ts';

const POM = join(import.meta.dirname, 'pom.xml');
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
/** A folder that another run makes is waited for so long; after that its maker is taken for dead. */
const STALE_MS = 10 * 60_000;

/** There is no Java, no Maven or no way to Kafka's jars, and nothing may be installed here. */
export class NoBroker extends Error {}

/** The folder of the jars; makes it when it is not there yet. `say` hears what takes long. */
export async function brokerJars(env: NodeJS.ProcessEnv, say: (line: string) => void): Promise<string> {
  if (!runs('java')) install('default-jre-headless', 'java', env, say);
  const cache = env.SLIPSTREAM_TOOLS ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'slipstream');
  const jars = join(cache, `kafka-${createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12)}`);
  if (existsSync(jars)) return jars;
  if (!runs('mvn')) install('maven', 'mvn', env, say);
  mkdirSync(cache, { recursive: true });
  await alone(`${jars}.lock`, () => {
    if (existsSync(jars)) return;
    say('fetching the jars of Apache Kafka (44 MB, once)');
    const part = `${jars}.part`;
    rmSync(part, { recursive: true, force: true });
    const options = ['-B', '-q', '-ntp', '-f', POM, COPY, '-DincludeScope=runtime', `-DoutputDirectory=${part}`];
    const { status, stdout, stderr } = spawnSync('mvn', options, { encoding: 'utf8', env });
    if (status !== 0) throw new NoBroker(`Maven could not fetch Kafka: ${`${stdout}${stderr}`.trim().split('\n').at(0)}`);
    // A folder that is there is whole.
    renameSync(part, jars);
  });
  return jars;
}

/** The same for tests that need other tools beside it. */
export const KAFKA_TOOLS: Toolset = {
  name: 'kafka-broker',
  versions: readFileSync(POM, 'utf8'),
  takes: 'about a minute',
  missing: () => (runs('java') || mayInstall() ? null : 'there is no Java, and nothing may be installed'),
  build: async (_directory, say) => void (await brokerJars(process.env, say)),
};

function mayInstall(): boolean {
  return process.getuid?.() === 0 && spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
}

function runs(program: string): boolean {
  return spawnSync(program, ['-version'], { stdio: 'ignore' }).status === 0;
}

function install(debian: string, program: string, env: NodeJS.ProcessEnv, say: (line: string) => void): void {
  if (mayInstall()) {
    say(`installing ${debian}`);
    const apt = (...options: string[]) =>
      spawnSync('apt-get', options, { stdio: 'ignore', env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } });
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', debian);
  }
  if (!runs(program)) throw new NoBroker(`no \`${program}\` on this machine`);
}

/** One process at a time does what `act` does. */
async function alone(lock: string, act: () => void): Promise<void> {
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0) > STALE_MS) rmSync(lock, { recursive: true, force: true });
      else await new Promise((next) => setTimeout(next, 200));
    }
  }
  try {
    act();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}
