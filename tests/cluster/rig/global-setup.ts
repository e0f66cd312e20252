/** Before the cluster tests: builds the tools they need, or says why they cannot run. */
import type { TestProject } from 'vitest/node';
import { builtTools, NoGo } from './tools.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the tools; null with the reason when there are none. */
    readonly clusterTools: { readonly directory: string } | { readonly missing: string };
  }
}

/** Without Go nothing can be built: on a user's machine the tests are skipped by name, but where nothing may be skipped that is an error. */
export async function setup(project: TestProject): Promise<void> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  try {
    project.provide('clusterTools', { directory: (await builtTools(process.env, say)).directory });
  } catch (error) {
    if (!(error instanceof NoGo) || (process.env.CI !== undefined && process.env.CI !== 'false')) throw error;
    say(`skipping all cluster tests: ${error.message}`);
    project.provide('clusterTools', { missing: error.message });
  }
}
