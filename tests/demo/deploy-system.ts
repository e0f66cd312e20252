/** The demo's deploy system, a process of its own: starts a rollout, asks Slipstream to judge it, and moves traffic back when told to. */

import type { RunWire } from '../../src/api/schemas.ts';
import type { DeployCommand, DeployReport } from './deploy-messages.ts';
import { type DeployEvent, startDeployServer } from './deploy-server.ts';

const [service, baselineVersion, canaryVersion] = process.argv.slice(2);
const secret = process.env.SLIPSTREAM_WEBHOOK_SECRET;
if (!service || !baselineVersion || !canaryVersion || !secret) {
  console.error('usage: SLIPSTREAM_WEBHOOK_SECRET=whsec_… deploy-system.ts SERVICE BASELINE-VERSION CANARY-VERSION');
  process.exit(2);
}

let slipstreamUrl = process.env.SLIPSTREAM_URL ?? '';

function tell(report: DeployReport | DeployEvent): void {
  if (process.send) process.send(report);
  else console.log(JSON.stringify(report));
}

const server = await startDeployServer({
  service,
  secret,
  tell,
  judge: async (generation, wanted) => {
    const request = {
      service,
      generation,
      baseline: { 'service.version': baselineVersion },
      canary: { 'service.version': canaryVersion },
      deadline: `${wanted.decideWithinMs}ms`,
    };
    const response = await fetch(`${slipstreamUrl}/v1/rollouts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(5000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`asking Slipstream to judge the rollout: ${response.status} ${text}`);
    const run = JSON.parse(text) as RunWire;
    tell({ kind: 'run_started', rollout: run.rollout });
    return run.rollout.id;
  },
});

process.on('message', (command: DeployCommand) => {
  if (command.kind === 'slipstream') slipstreamUrl = command.url;
  else void stop();
});
process.on('disconnect', () => void stop());
process.on('SIGTERM', () => void stop());
// Ctrl-C reaches the whole process group; the demo decides when this ends.
process.on('SIGINT', () => {});
tell({ kind: 'listening', url: server.url });

async function stop(): Promise<void> {
  await server.stop();
  process.exit(0);
}
