/** What a real broker needs on this machine: Java, and Kafka's jars, which Maven fetches once. Installs what is missing where it may. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NoTools, readyToolset, type Say, type Toolset } from '../../tools/toolset.ts';

const POM = join(import.meta.dirname, 'pom.xml');
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** Throws NoTools when there is no Java and it may not be installed. The folder of the jars; makes it when it is not there yet. `say` hears what takes long. */
export async function brokerJars(env: NodeJS.ProcessEnv, say: Say): Promise<string> {
  if (!runs('java')) install('default-jre-headless', 'java', env, say);
  return join(await readyToolset(KAFKA_TOOLS, env, say), 'jars');
}

/** The jars of Apache Kafka, 44 MB; Java is looked for when they are used. */
export const KAFKA_TOOLS: Toolset = {
  name: 'kafka',
  versions: readFileSync(POM, 'utf8'),
  takes: 'about a minute',
  missing: () => (runs('java') || mayInstall() ? null : 'there is no Java, and nothing may be installed'),
  build: async (directory, say) => {
    if (!runs('mvn')) install('maven', 'mvn', process.env, say);
    const jars = join(directory, 'jars');
    rmSync(jars, { recursive: true, force: true });
    const options = ['-B', '-q', '-ntp', '-f', POM, COPY, '-DincludeScope=runtime', `-DoutputDirectory=${jars}`];
    const { status, stdout, stderr } = spawnSync('mvn', options, { encoding: 'utf8' });
    if (status !== 0) throw new NoTools(`Maven could not fetch Kafka: ${`${stdout}${stderr}`.trim().split('\n').at(0)}`);
  },
};

function mayInstall(): boolean {
  return process.getuid?.() === 0 && spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
}

function runs(program: string): boolean {
  return spawnSync(program, ['-version'], { stdio: 'ignore' }).status === 0;
}

function install(debian: string, program: string, env: NodeJS.ProcessEnv, say: Say): void {
  if (mayInstall()) {
    say(`installing ${debian}`);
    const apt = (...options: string[]) =>
      spawnSync('apt-get', options, { stdio: 'ignore', env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } });
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', debian);
  }
  if (!runs(program)) throw new NoTools(`no \`${program}\` on this machine`);
}
