/** A pipeline asks the gate of a running service, as a user would write it in bash: refused, overridden, restarted, refused again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import type { GateWire } from '../../src/api/gate-schemas.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { processDocument, SERVICE, shopDocument } from './config.ts';
import { API_TOKEN, eventually, killAll, MAIN, Running } from './running.ts';
import { HEALTHY, type Stream, send, thisSecond } from './traffic.ts';

const folders = new TemporaryFolders();
afterEach(async () => {
  await killAll();
  folders.clean();
});

const FAILING: readonly Stream[] = [{ release: '1.0.0', perSecond: 50, failEvery: 5 }];

/** What a deploy job looks like: bash with `set -e`, where only an answer that was given lets it go on. */
const DEPLOY = `#!/bin/bash
set -euo pipefail
slipstream() { node "$SLIPSTREAM" "$@"; }
code=0
slipstream gate "$@" || code=$?
case $code in
  0) echo "GO" ;;
  1) echo "GO WITH CARE" ;;
  2) echo "REFUSED"; exit 1 ;;
  *) echo "NOT ASKED"; exit 1 ;;
esac
`;

interface Deployed {
  readonly code: number;
  readonly said: string;
  readonly stderr: string;
}

/** Runs the deploy job in its own process; `said` is its output. */
async function deploy(folder: string, url: string, ...argv: string[]): Promise<Deployed> {
  const script = join(folder, 'deploy.sh');
  writeFileSync(script, DEPLOY, { mode: 0o700 });
  const env = { PATH: process.env.PATH, SLIPSTREAM: MAIN, SLIPSTREAM_URL: url, SLIPSTREAM_API_TOKEN: API_TOKEN };
  const child = spawn('bash', [script, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, said, stderr };
}

async function gateOf(running: Running): Promise<GateWire> {
  return (await running.json(`/v1/gate?service=${SERVICE}`)) as GateWire;
}

/** Until what was sent is counted whole. */
async function heard(running: Running): Promise<void> {
  await eventually(
    () => running.metric('spans_total{disposition="counted"}'),
    (spans) => spans >= 1000,
  );
  await eventually(
    () => gateOf(running),
    ({ answer, findings }) => answer !== 'unknown' && findings.some(({ text }) => text.includes(' of 10 allowed')),
  );
}

const lastLine = ({ said }: Deployed): string => said.trimEnd().split('\n').at(-1) ?? '';

it('a breached objective refuses the deploy; an override lets it out, holds over a kill, and ends', async () => {
  const folder = folders.make();
  const config = [processDocument(), shopDocument([{ availability: '99%' }])];
  let running = await Running.start({ folder, config });
  expect(lastLine(await deploy(folder, running.api, SERVICE))).toBe('NOT ASKED');

  const now = thisSecond();
  await send(running, now - 20_000, now, FAILING);
  await heard(running);
  const refused = await deploy(folder, running.api, SERVICE);
  expect([refused.code, lastLine(refused)]).toEqual([1, 'REFUSED']);
  expect(refused.said).toContain(`refuse: a deploy of ${SERVICE} must not go out`);
  expect(refused.said).toMatch(
    /^refuse +budget_spent +budget of availability: -1,900 % left \(200 bad of 10 allowed\); the gate refuses below 0 %$/m,
  );

  const unheard = await running.ask('/v1/gate/overrides', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ service: SERVICE, by: 'eve', reason: 'because I want to', for: '2h' }),
  });
  expect(unheard.status).toBe(401);

  const override = ['--override', 'fixes the outage, INC-7', '--by', 'ana'];
  const overridden = await deploy(folder, running.api, SERVICE, ...override, '--for', '1h');
  expect([overridden.code, lastLine(overridden)]).toEqual([0, 'GO WITH CARE']);
  expect(overridden.said).toMatch(/^warn +overridden +overridden by ana until .* UTC: fixes the outage, INC-7$/m);
  expect(overridden.said).toMatch(/^refuse +budget_spent /m);
  await running.log('the deploy gate is overridden', { service: SERVICE, by: 'ana', reason: 'fixes the outage, INC-7' });

  // It was durable before it was answered.
  await running.kill();
  const alone = await deploy(folder, running.api, SERVICE);
  expect([alone.code, lastLine(alone)]).toEqual([1, 'NOT ASKED']);
  expect(alone.stderr).toContain('connection refused');
  running = await Running.start({ folder, config });
  expect(await gateOf(running)).toMatchObject({ answer: 'warn', override: { by: 'ana', reason: 'fixes the outage, INC-7' } });

  const short = await deploy(folder, running.api, SERVICE, ...override, '--for', '1s');
  const ended = await eventually(
    () => gateOf(running),
    ({ override: left }) => left === null,
  );
  expect(short.stderr).toMatch(/is overridden until/);
  expect(ended.answer).toBe('refuse');
  const { overrides } = (await running.json('/v1/gate/overrides')) as { overrides: object[] };
  expect(overrides).toMatchObject([
    { service: SERVICE, by: 'ana', endedAt: null, isInForce: false },
    { service: SERVICE, by: 'ana', endedBy: 'ana', isInForce: false },
  ]);
  await running.stop();
}, 90_000);

it('a load test that failed refuses a healthy service until a newer one passed', async () => {
  const folder = folders.make();
  const running = await Running.start({ folder, config: [processDocument(), shopDocument([{ availability: '99%' }])] });
  const now = thisSecond();
  await send(running, now - 10_000, now, HEALTHY.slice(0, 1));
  await heard(running);
  const answer = await deploy(folder, running.api, SERVICE);
  expect([answer.code, lastLine(answer)]).toEqual([0, 'GO']);

  const service = { service: SERVICE, outcome: 'fail', candidate: '1.1.0', summary: 'p95 of GET /cart 30 ms to 41 ms', metrics: [{}] };
  const file = join(folder, 'compare.json');
  writeFileSync(file, JSON.stringify({ kind: 'comparison', at: Date.now(), services: [service] }));
  const failed = await deploy(folder, running.api, SERVICE, '--load-test', file);
  expect([failed.code, lastLine(failed)]).toEqual([1, 'REFUSED']);
  expect(failed.said).toMatch(/load_test_failed +load test of 1\.1\.0 failed at .*: p95 of GET \/cart 30 ms to 41 ms$/m);
  const passed = await deploy(folder, running.api, SERVICE, '--load-test-outcome', 'pass', '--candidate', '1.1.1');
  expect([passed.code, lastLine(passed)]).toEqual([0, 'GO']);
  await running.stop();
}, 90_000);

it('whatever breaks around the gate reads as not asked: a full disk, a reader that is gone, a mistake', async () => {
  const folder = folders.make();
  const running = await Running.start({ folder, config: [processDocument(), shopDocument([{ availability: '99%' }])] });
  const now = thisSecond();
  await send(running, now - 10_000, now, HEALTHY.slice(0, 1));
  await heard(running);
  const env = { PATH: process.env.PATH, SLIPSTREAM_URL: running.api };
  const exitOf = async (shell: string): Promise<number> => {
    const child = spawn('bash', ['-c', shell, 'job', MAIN, SERVICE], { env, stdio: 'ignore' });
    const [code] = await once(child, 'close');
    return code;
  };
  expect(await exitOf('node "$1" gate "$2"')).toBe(0);
  expect(await exitOf('node "$1" gate "$2" > /dev/full')).toBe(3);
  // The answer stays what it is when nobody reads all of it.
  expect(await exitOf('set -o pipefail; node "$1" gate nobody -o json | true')).toBe(3);
  expect(await exitOf('node "$1" gate')).toBe(3);
  expect(await exitOf('node "$1" gate "$2" --warn-okay')).toBe(3);
  await running.stop();
}, 90_000);
