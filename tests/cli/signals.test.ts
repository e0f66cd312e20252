/** `slipstream signals` against a real API: what was sent, what came of it, and an exit code when a person is needed. */
import { describe, expect, it } from 'vitest';
import type { SignalView } from '../../src/api/handlers.ts';
import { DELIVERY_STATES } from '../../src/model/rollout.ts';
import { NOW } from '../api/memory-service.ts';
import { OperatorStand } from './operator-stand.ts';

const stand = OperatorStand.forEach();

const SENT: SignalView = {
  id: 'sig_1',
  rolloutId: 'ro-1',
  generation: 3,
  service: 'shop',
  action: 'rollback',
  reason: 'harm_proven',
  summary: 'Roll back: the canary is proven worse than the baseline.',
  target: { kind: 'Rollout', namespace: 'web', name: 'shop', fence: '7c9f' },
  link: 'https://slipstream.example.com/v1/rollouts/ro-1/explanation',
  sink: 'deploy',
  state: 'acknowledged',
  isOpen: true,
  attempts: 2,
  lastError: '503 from http://deploy',
  escalatedAt: null,
  decidedAt: NOW - 60_000,
  notAfter: NOW + 540_000,
};

function has(...signals: readonly Partial<SignalView>[]): void {
  const all = signals.map((signal) => ({ ...SENT, ...signal }));
  stand.service.signals = async (limit: number) => all.slice(0, limit);
  stand.service.signal = async (id: string) => all.filter((one) => one.id === id);
}

describe('signals', () => {
  it('are a line for each sink', async () => {
    has({}, { sink: 'pager', state: 'escalated', attempts: 9, isOpen: false });
    const { code, stdout } = await stand.run('signals');
    expect(code).toBe(0);
    expect(
      stdout
        .split('\n')
        .slice(0, 3)
        .map((line) => line.replace(/ +/g, ' ')),
    ).toEqual([
      'SIGNAL SERVICE ACTION SINK STATE ATTEMPTS DECIDED ERROR',
      'sig_1 shop rollback deploy acknowledged 2 2026-11-21 11:59:00 UTC 503 from http://deploy',
      'sig_1 shop rollback pager escalated 9 2026-11-21 11:59:00 UTC 503 from http://deploy',
    ]);
    expect(JSON.parse((await stand.run('signals', '-o', 'json')).stdout).signals).toHaveLength(2);
  });

  it('may be only those that are open, or of one service', async () => {
    has({}, { id: 'sig_2', isOpen: false }, { id: 'sig_3', service: 'cart' });
    expect((await stand.run('signals', '--open')).stdout).not.toContain('sig_2');
    expect((await stand.run('signals', '--service', 'cart')).stdout).not.toContain('sig_1');
    expect((await stand.run('signals', '--service', 'nobody')).stdout).toBe('No such signal.\n');
  });

  it('are shown one by one with what they ask, of what, and until when', async () => {
    has({ escalatedAt: NOW }, { sink: 'pager' });
    const { stdout } = await stand.run('signals', 'sig_1');
    expect(stdout.split('\n').slice(0, 6)).toEqual([
      'sig_1: rollback shop, rollout ro-1#3',
      'Roll back: the canary is proven worse than the baseline.',
      'of Rollout web/shop, fence 7c9f',
      'decided 2026-11-21 11:59:00 UTC, not to be acted upon after 2026-11-21 12:09:00 UTC',
      'https://slipstream.example.com/v1/rollouts/ro-1/explanation',
      'people were told of deploy at 2026-11-21 12:00:00 UTC',
    ]);
    const unknown = await stand.run('signals', 'sig_9');
    expect([unknown.code, unknown.stdout]).toEqual([1, '']);
  });

  it('cannot move the cursor by what deploy systems answer', async () => {
    has({ lastError: '\u001b[2J', summary: 'a\u001b[31m' });
    const both = `${(await stand.run('signals')).stdout}${(await stand.run('signals', 'sig_1')).stdout}`;
    expect(both).not.toContain('\u001b');
    expect(both).toContain('\\u{1b}[2J');
  });
});

it.each(DELIVERY_STATES)('--check of one that is %s', async (state) => {
  has({ state });
  const needed = state === 'expired' || state === 'escalated';
  expect((await stand.run('signals', '--check')).code).toBe(needed ? 3 : 0);
  expect((await stand.run('signals')).code).toBe(0);
});
