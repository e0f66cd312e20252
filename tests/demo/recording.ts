/** What a replay needs besides the spans: the rollout that was judged and the configuration it was judged by. */
import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunWire } from '../../src/api/schemas.ts';

const CONFIG = fileURLToPath(new URL('config/slipstream.yaml', import.meta.url));

/** Writes the rollouts as the service took them next to the recording and returns the command that judges it again. */
export async function keepForReplay(recordFile: string, rollouts: readonly RunWire['rollout'][]): Promise<string> {
  const lines = rollouts.map(({ id, service, generation, baseline, canary, startedAt, deadline }) =>
    JSON.stringify({
      id,
      service,
      generation,
      baseline,
      canary,
      startedAt: new Date(startedAt).toISOString(),
      deadline: new Date(deadline).toISOString(),
    }),
  );
  const rolloutsFile = `${recordFile}.rollouts.jsonl`;
  await writeFile(rolloutsFile, `${lines.join('\n')}\n`);
  return `npm run slipstream -- replay ${recordFile} --config ${relative(process.cwd(), CONFIG)} --rollouts ${rolloutsFile}`;
}
