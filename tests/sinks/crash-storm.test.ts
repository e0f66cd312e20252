/** Killed again and again at random moments, against a deploy system that fails: every bad rollout takes effect exactly once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { seededRandom } from '../demo/random.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { FlakyRecorder } from '../support/flaky-recorder.ts';
import { WEBHOOK_SECRET } from '../support/sink-configs.ts';

/** In all; each lane is a process of its own with its own state and deploy system. On a machine where somebody waits for the tests it is a shorter storm. */
const CYCLES = process.env.CI === 'true' ? 520 : 100;
const LANES = 2;
/** Enough to find the fault, which shows in about every tenth. */
const CYCLES_WITH_A_FAULT = 60;
const ROLLOUTS_PER_CYCLE = 6;
/** A process is killed after a random number of decisions, and at random up to so much later. */
const LATER_MS = 12;
/** So many are killed while they come up. */
const EARLY_RATIO = 0.15;
const COMES_UP_MS = 150;
const SEED = 6;

const folders = new TemporaryFolders();
const recorders: FlakyRecorder[] = [];
afterEach(async () => {
  for (const recorder of recorders.splice(0)) await recorder.close();
  folders.clean();
});

type Order = 'journal first' | 'send first';

interface Outcome {
  readonly recorder: FlakyRecorder;
  readonly journalled: readonly { readonly id: string; readonly state: string; readonly attempts: number }[];
}

async function storm(lane: number, cycles: number, order: Order): Promise<Outcome> {
  const random = seededRandom(SEED + lane);
  const stateFolder = folders.make();
  const recorder = await FlakyRecorder.listen({
    seed: SEED * 100 + lane,
    secret: WEBHOOK_SECRET,
    stateFolder,
    unavailableRatio: 0.1,
    lostRatio: 0.05,
  });
  recorders.push(recorder);
  const start = (rollouts: number) => {
    const program = join(import.meta.dirname, 'crashing-decider.ts');
    const args = [program, stateFolder, recorder.url, WEBHOOK_SECRET, order, String(rollouts)];
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  };
  for (let cycle = 0; cycle < cycles; cycle++) {
    const child = start(ROLLOUTS_PER_CYCLE);
    const ended = once(child, 'close');
    if (random() < EARLY_RATIO) await pause(random() * COMES_UP_MS);
    else {
      await Promise.race([decisions(child.stdout, 1 + Math.floor(random() * ROLLOUTS_PER_CYCLE)), ended]);
      await pause(random() * LATER_MS);
    }
    child.kill('SIGKILL');
    await ended;
  }
  const last = start(0);
  const [code] = await once(last, 'close');
  expect(code).toBe(0);
  using store = new SqliteStore(stateFolder);
  const journalled = store.journal.entries(100_000).map(({ signal, state, attempts }) => ({ id: signal.id, state, attempts }));
  return { recorder, journalled };
}

/** Resolves once so many were told of, and goes on reading. */
function decisions(output: Readable, count: number): Promise<void> {
  let told = '';
  return new Promise((resolve) => {
    output.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      if (told.split('decided\n').length > count) resolve();
    });
  });
}

describe('killed at random moments', () => {
  it('loses no signal, doubles none, and says the same each time', { timeout: 600_000 }, async () => {
    const outcomes = await Promise.all(Array.from({ length: LANES }, (_, lane) => storm(lane, CYCLES / LANES, 'journal first')));
    for (const { recorder, journalled } of outcomes) {
      expect(journalled.length).toBeGreaterThan((CYCLES / LANES) * (1 - 2 * EARLY_RATIO));
      expect(new Set(journalled.map(({ state }) => state))).toEqual(new Set(['acknowledged']));
      expect([...recorder.effects.keys()].sort()).toEqual(journalled.map(({ id }) => id).sort());
      expect(new Set([...recorder.effects.values()].map(({ rolloutId }) => rolloutId)).size).toBe(recorder.effects.size);
      expect([...recorder.altered]).toEqual([]);
      expect(recorder.unjournalled).toEqual([]);
      expect(recorder.forged).toBe(0);
      // The storm was one: answers were lost and processes died in the middle of a delivery.
      expect(recorder.repeats).toBeGreaterThan(CYCLES / LANES / 20);
      expect(recorder.requests).toBeGreaterThan(journalled.length * 1.05);
    }
  });

  it('would show a signal that is sent before it is journalled', { timeout: 120_000 }, async () => {
    const { recorder } = await storm(0, CYCLES_WITH_A_FAULT, 'send first');
    expect(recorder.unjournalled.length).toBeGreaterThan(0);
    expect(recorder.altered.size).toBeGreaterThan(0);
  });
});
