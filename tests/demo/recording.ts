/** What a replay needs besides the spans: the rollout that was judged and the configuration it was judged by. */
import { writeFile } from 'node:fs/promises';
import type { RunWire } from '../../src/api/schemas.ts';
import { writeReplayConfig } from './slipstream-config.ts';

/** Writes both next to the recording and returns the command that judges it again. */
export async function keepForReplay(recordFile: string, rollouts: readonly RunWire['rollout'][]): Promise<string> {
  const lines = rollouts.map(({ id, service, generation, baseline, canary, startedAt, deadline }) =>
    JSON.stringify({ id, service, generation, baseline, canary, startedAt: isoTime(startedAt), deadline: isoTime(deadline) }),
  );
  const rolloutsFile = `${recordFile}.rollouts.jsonl`;
  await writeFile(rolloutsFile, lines.map((line) => `${line}\n`).join(''));
  const configFile = await writeReplayConfig(recordFile);
  return `npm run -s slipstream -- replay ${recordFile} --config ${configFile} --rollouts ${rolloutsFile}`;
}

function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
