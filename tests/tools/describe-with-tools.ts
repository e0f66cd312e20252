/** A group of tests that needs real programs: skipped by name where they cannot be had, built first where they are not there yet. */
import { beforeAll, describe } from 'vitest';
import { isCi } from './is-ci.ts';
import { type Need, readyToolset, type Toolset } from './toolset.ts';

const BUILD_TIMEOUT_MS = 40 * 60_000;

/** `directory(toolset)` is there once the tests run. Where nothing may be skipped (`CI`) a missing tool is an error. */
export function describeWithTools(name: string, needs: readonly Need[], body: (directory: (of: Toolset) => string) => void): void {
  const missing = needs.flatMap((need) => need.missing(process.env) ?? []);
  if (missing.length > 0) {
    if (isCi(process.env)) throw new Error(`${name}: ${missing.join('; ')}`);
    describe.skip(`${name} (${missing.join('; ')})`, () => body(() => never()));
    return;
  }
  const directories = new Map<Toolset, string>();
  describe(name, () => {
    beforeAll(async () => {
      for (const toolset of needs.filter(isToolset)) directories.set(toolset, await readyToolset(toolset, process.env, say));
    }, BUILD_TIMEOUT_MS);
    body((toolset) => directories.get(toolset) ?? never());
  });
}

function isToolset(need: Need): need is Toolset {
  return 'build' in need;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function never(): never {
  throw new Error('tools are there only while the tests that named them run');
}
