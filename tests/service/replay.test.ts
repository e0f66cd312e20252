/** A recording is judged as it was judged live, from a file or a pipe, with what cannot be read told of by its place. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { run } from '../../src/cli/run.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { processDocument, rollout, SECRETS, shopDocument } from './config.ts';
import { API_TOKEN, configFile, killAll, MAIN, Running, WEBHOOK_SECRET } from './running.ts';
import { exportRequest, HEALTHY, SICK, send, sendLive, thisSecond } from './traffic.ts';

const ENV = { PATH: process.env.PATH, SLIPSTREAM_WEBHOOK_SECRET: WEBHOOK_SECRET, SLIPSTREAM_API_TOKEN: API_TOKEN };
const AT = Date.UTC(2026, 4, 1, 12);

const folders = new TemporaryFolders();
let folder: string;

beforeEach(() => {
  folder = folders.make();
});
afterEach(async () => {
  await killAll();
  folders.clean();
});

interface Replayed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function replay(args: readonly string[], input = Buffer.alloc(0)): Promise<Replayed> {
  const child = spawn(process.execPath, [MAIN, 'replay', ...args], { cwd: folder, env: ENV });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

function rolloutsFile(...rollouts: readonly object[]): string {
  const file = join(folder, 'rollouts.jsonl');
  writeFileSync(file, rollouts.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return file;
}

/** As the Collector's file exporter writes them: 20 healthy seconds, then 25 in which the canary is sick. */
function spansFile(): string {
  const file = join(folder, 'spans.jsonl');
  const lines = Array.from({ length: 45 }, (_, i) => exportRequest(AT + i * 1_000, AT + (i + 1) * 1_000, i < 20 ? HEALTHY : SICK).body);
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return file;
}

it('a replay says what the live run said: decision, reason, time, and the evidence to the last digit', async () => {
  const receiver = await WebhookReceiver.listen(SECRETS);
  const config = [processDocument({ webhookUrl: receiver.url }), shopDocument()];
  const running = await Running.start({ folder, config, args: ['--record', 'spans.binpb'] });
  const now = thisSecond();
  await send(running, now - 20_000, now - 1_000, HEALTHY);
  const { startedAt, ...request } = rollout(now);
  expect((await running.startRollout(request)).status).toBe(201);
  await sendLive(running, SICK, () => receiver.requests.length > 0);
  const live = await running.runIn('rolled_back');
  await running.stop();
  await receiver.close();

  const rollouts = rolloutsFile({ ...request, startedAt: new Date(live.rollout.startedAt).toISOString() });
  const replayed = await replay(['spans.binpb', '--config', 'slipstream.yaml', '--rollouts', rollouts, '--explain', '-o', 'json']);
  expect(replayed).toMatchObject({ code: 0, stderr: '' });
  const answer = JSON.parse(replayed.stdout);
  expect(answer.verdicts.at(-1)).toEqual({
    at: new Date(live.verdict.at).toISOString(),
    rollout: 'shop-1',
    service: 'shop',
    decision: 'rollback',
    reason: 'harm_proven',
    logWealth: live.verdict.logWealth,
    decidedBy: live.verdict.decidedBy,
    signal: live.signalId,
  });
  expect(answer.runs).toEqual([{ id: 'shop-1', state: 'rolled_back', why: live.explanation.verdict, page: live.explanation.page }]);
  expect(answer.rejectedSpans).toBe(0);
});

describe('a recording of the Collector', () => {
  beforeEach(() => {
    configFile(folder, [processDocument(), shopDocument()]);
  });

  it('is judged alike from a file, a pipe and in every format', async () => {
    const args = ['--config', 'slipstream.yaml', '--rollouts', rolloutsFile(rollout(AT + 10_000))];
    const spans = spansFile();
    const [fromFile, fromPipe, asYaml, asTable, asPage] = await Promise.all([
      replay(['spans.jsonl', ...args, '-o', 'json']),
      replay(['-', ...args, '-o', 'json'], readFileSync(spans)),
      replay(['spans.jsonl', ...args, '-o', 'yaml']),
      replay(['spans.jsonl', ...args]),
      replay(['spans.jsonl', ...args, '--explain']),
    ]);
    const answer = JSON.parse(fromFile.stdout);
    expect(fromFile).toMatchObject({ code: 0, stderr: '' });
    expect(answer).toMatchObject({ requests: 45, problems: 0, spans: 9_000, rejectedSpans: 0 });
    expect(answer.verdicts.at(-1)).toMatchObject({ rollout: 'shop-1', decision: 'rollback', reason: 'harm_proven' });
    expect(answer.objectives[0]).toMatchObject({ text: 'availability: 99%', evidence: { valid: 9_000, good: 8_250 } });
    expect(JSON.parse(fromPipe.stdout)).toEqual(answer);
    expect(parse(asYaml.stdout)).toEqual(answer);
    expect(asTable.stdout).toContain('9000 spans in 45 requests');
    expect(asTable.stdout).toMatch(/shop-1 +rollback/);
    expect(asPage.stdout).toMatch(/^Roll back: the canary is proven worse than the baseline\.\n\nservice +shop$/m);
  });

  it('with lines that are none: names each, judges the rest, and fails only when nothing could be read', async () => {
    const lines = readFileSync(spansFile(), 'utf8').split('\n');
    lines.splice(1, 0, 'these are no spans', '{"resourceSpans": 7}');
    writeFileSync(join(folder, 'damaged.jsonl'), lines.join('\n'));
    writeFileSync(join(folder, 'garbage.jsonl'), '{"resourceSpans": 7}\n{nothing\n');
    const [damaged, garbage, missing] = await Promise.all([
      replay(['damaged.jsonl', '--config', 'slipstream.yaml', '-o', 'json']),
      replay(['garbage.jsonl', '--config', 'slipstream.yaml', '-o', 'json']),
      replay(['missing.jsonl', '--config', 'slipstream.yaml']),
    ]);
    expect(damaged.code).toBe(0);
    expect(damaged.stderr).toMatch(/^damaged\.jsonl:2: .+\ndamaged\.jsonl:3: .+\n$/);
    expect(JSON.parse(damaged.stdout)).toMatchObject({ requests: 45, problems: 2, spans: 9_000 });
    expect(garbage.code).toBe(1);
    expect(garbage.stderr).toMatch(/^garbage\.jsonl:1: .+\ngarbage\.jsonl:2: .+\n$/);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/missing\.jsonl/);
  });

  it('needs rollouts that say when they start, and says which line does not', async () => {
    spansFile();
    const { startedAt, ...incomplete } = rollout(AT);
    const rollouts = rolloutsFile(rollout(AT), incomplete);
    const replayed = await replay(['spans.jsonl', '--config', 'slipstream.yaml', '--rollouts', rollouts]);
    expect(replayed.code).toBe(1);
    expect(replayed.stderr).toContain(`${rollouts}:2: startedAt is needed`);
    expect(startedAt).toBeDefined();
  });

  it('tells of a rollout that starts after its end', async () => {
    spansFile();
    const rollouts = rolloutsFile(rollout(AT + 3_600_000));
    const replayed = await replay(['spans.jsonl', '--config', 'slipstream.yaml', '--rollouts', rollouts]);
    expect(replayed.code).toBe(0);
    expect(replayed.stderr).toContain('rollout shop-1 starts at 2026-05-01T13:00:00.000Z, after the recording ends');
  });

  it('shows its progress on a terminal and leaves the line empty behind it', async () => {
    const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: Object.assign(new PassThrough(), { isTTY: true }) };
    const argv = ['replay', spansFile(), '--config', join(folder, 'slipstream.yaml'), '-o', 'json'];
    expect(await run(argv, ENV, streams)).toBe(0);
    streams.stderr.end();
    streams.stdout.end();
    const shown = await text(streams.stderr);
    expect(shown).toMatch(/replaying \[#+\.*\] \d+ % \d+\.\d MB/);
    expect(shown).toContain('100 %');
    expect(shown.endsWith('\r\u001b[K')).toBe(true);
    expect(await text(streams.stdout)).not.toContain('\u001b');
  });

  it('prints what a configuration says and hardly means, and judges all the same', async () => {
    configFile(folder, [processDocument(), shopDocument([{ availability: '99.9%' }, { errorRate: '< 0.1%' }])]);
    spansFile();
    const replayed = await replay(['spans.jsonl', '--config', 'slipstream.yaml', '-o', 'json']);
    expect(replayed.code).toBe(0);
    expect(replayed.stderr).toContain('count the same failures');
    expect(JSON.parse(replayed.stdout).spans).toBe(9_000);
  });
});
