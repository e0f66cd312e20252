/** Before the tests against a real broker: gets what it needs, or says why they cannot run. */
import type { TestProject } from 'vitest/node';
import { isCi } from '../../tools/is-ci.ts';
import { NoTools } from '../../tools/toolset.ts';
import { brokerJars } from './broker-tools.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of Kafka's jars, or the reason why there is none. */
    readonly kafka: { readonly jars: string } | { readonly missing: string };
  }
}

/** On a user's machine the tests are skipped by name; where nothing may be skipped that is an error. */
export async function setup(project: TestProject): Promise<void> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  try {
    project.provide('kafka', { jars: await brokerJars(process.env, say) });
  } catch (error) {
    if (!(error instanceof NoTools) || isCi(process.env)) throw error;
    say(`skipping all tests with a Kafka broker: ${error.message}`);
    project.provide('kafka', { missing: error.message });
  }
}
