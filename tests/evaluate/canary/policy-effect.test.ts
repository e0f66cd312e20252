/** What a policy says about endpoints changes what is judged and what is asked for, and nothing else. */
import { describe, expect, it } from 'vitest';
import type { ArmSlot } from '../../../src/evaluate/canary/arm-slot.ts';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import type { CanaryPolicy, CheckName, CheckSetting, EndpointSetting } from '../../../src/model/policy.ts';
import { slotStartMs } from '../../../src/model/time.ts';
import { canaryPolicy } from '../policy.ts';
import { armSlot, counted, LAYOUT, NOTHING, START, seeded } from '../world.ts';

const USUAL: CheckSetting = { weight: 1, isCritical: false, isMuted: false };
const setting = (endpoint: string, changes: Partial<CheckSetting>): EndpointSetting => ({ endpoint, ...USUAL, ...changes });
const comparison = (changes: Partial<CanaryPolicy> = {}) => new CanaryComparison(canaryPolicy(changes), LAYOUT, START);

type Second = Readonly<Record<string, readonly [baseline: ArmSlot, canary: ArmSlot]>>;

function feed(to: CanaryComparison, second: number, slots: Second): void {
  for (const [endpoint, [baseline, canary]] of Object.entries(slots)) to.feed(endpoint, START + second, baseline, canary);
  to.endSlot(START + second);
}

/** The first second at which the canary passes, or null. */
function passesAt(to: CanaryComparison, seconds: number, slotsOf: (second: number) => Second): number | null {
  for (let second = 0; second < seconds; second++) {
    feed(to, second, slotsOf(second));
    if (to.judge().outcome === 'pass') return second + 1;
  }
  return null;
}

describe('a muted endpoint', () => {
  const MUTED = { endpoints: [setting('GET /internal/**', { isMuted: true })] };

  it.each([1, 2, 3])('leaves every number as it is without its requests, however sick it is (seed %d)', (seed) => {
    const random = seeded(seed);
    const muted = comparison(MUTED);
    const alone = comparison();
    muted.prime('GET /internal/x', slotStartMs(START), counted(1_000_000, 0));
    for (let second = 0; second < 60; second++) {
      const judged: Second = {
        'GET /a': [armSlot(random, 300, 0.01), armSlot(random, 30, 0.015)],
        'GET /b': [armSlot(random, 30, 0.01), armSlot(random, 3, 0.01, 1.3)],
      };
      feed(muted, second, {
        'GET /internal/x': [counted(500, 0), counted(500, 500)],
        ...judged,
        'GET /internal/y/z': [NOTHING, counted(9, 9)],
      });
      feed(alone, second, judged);
      const { judgements: _, ...said } = muted.judge();
      const { judgements: __, ...expected } = alone.judge();
      expect(said).toEqual(expected);
    }
    expect(muted.judge().judgements.filter(({ reason }) => reason !== 'muted')).toEqual(alone.judge().judgements);
  });

  it('is counted in one line for its pattern', () => {
    const judged = comparison(MUTED);
    for (let second = 0; second < 3; second++) {
      const slots = Array.from({ length: 20 }, (_, index) => [`GET /internal/${index}`, [counted(10, 1), counted(2, 2)]] as const);
      feed(judged, second, Object.fromEntries(slots));
    }
    expect(judged.judge()).toMatchObject({ outcome: 'inconclusive', reason: 'no_canary', canaryRequests: 0, unproven: [] });
    expect(judged.judge().judgements.filter(({ evidence }) => evidence.kind === 'comparison')).toMatchObject([
      {
        check: 'errors GET /internal/**',
        outcome: 'inconclusive',
        reason: 'muted',
        evidence: { baseline: { bad: 60, total: 600 }, canary: { bad: 120, total: 120 }, weight: 0 },
      },
    ]);
  });

  it('is remembered over a restart, to the bit', () => {
    const random = seeded(5);
    const policy = canaryPolicy({ ...MUTED, endpoints: [...MUTED.endpoints, setting('GET /a', { weight: 3 })] });
    const whole = new CanaryComparison(policy, LAYOUT, START);
    let parts = new CanaryComparison(policy, LAYOUT, START);
    for (let second = 0; second < 40; second++) {
      const slots: Second = {
        'GET /a': [armSlot(random, 300, 0.01), armSlot(random, 30, 0.03)],
        'GET /internal/x': [counted(5, 0), counted(5, 5)],
      };
      feed(whole, second, slots);
      feed(parts, second, slots);
      if (second % 7 === 3) parts = CanaryComparison.restore(policy, LAYOUT, JSON.parse(JSON.stringify(parts.snapshot())));
    }
    expect(parts.snapshot()).toEqual(whole.snapshot());
    expect(parts.judge().judgements).toEqual(whole.judge().judgements);
  });

  it('does not mute those that an earlier entry names', () => {
    const judged = comparison({ endpoints: [setting('GET /internal/pay', {}), setting('GET /internal/**', { isMuted: true })] });
    for (let second = 0; second < 10; second++) feed(judged, second, { 'GET /internal/pay': [counted(900, 1), counted(100, 60)] });
    expect(judged.judge()).toMatchObject({ outcome: 'fail', decidedBy: 'errorsSevere GET /internal/pay' });
  });
});

describe('a weight', () => {
  it('lets harm to its endpoint be proven sooner and leaves the others more time', () => {
    const provenAt = (weight: number, sick: string): number => {
      const judged = comparison({ endpoints: [setting('POST /pay', { weight })] });
      const random = seeded(11);
      for (let second = 0; second < 300; second++) {
        const rate = (endpoint: string) => (endpoint === sick ? 0.03 : 0.01);
        feed(judged, second, {
          'GET /list': [armSlot(random, 400, 0.01), armSlot(random, 40, rate('GET /list'))],
          'POST /pay': [armSlot(random, 400, 0.01), armSlot(random, 40, rate('POST /pay'))],
        });
        if (judged.judge().outcome === 'fail') return second + 1;
      }
      return Infinity;
    };
    expect(provenAt(10, 'POST /pay')).toBeLessThan(provenAt(0.1, 'POST /pay'));
    expect(provenAt(10, 'GET /list')).toBeGreaterThan(provenAt(0.1, 'GET /list'));
  });
});

describe('promotion', () => {
  const MUTED = { ...USUAL, isMuted: true };
  const errorsAlone = (changes: Partial<CheckSetting> = {}): Record<CheckName, CheckSetting> => ({
    p50: MUTED,
    p95: MUTED,
    p99: MUTED,
    errors: { ...USUAL, ...changes },
  });
  const BUSY = [counted(1900, 0), counted(100, 0)] as const;
  const QUIET = [counted(19, 0), counted(1, 0)] as const;
  const busyAndQuiet = () => ({ 'GET /': BUSY, 'POST /pay': QUIET });
  const policy = (changes: Partial<CanaryPolicy>) => ({ checks: errorsAlone(), minPassMs: 5000, ...changes });

  it('waits for nobody who carries little traffic', () => {
    const at = passesAt(comparison(policy({})), 100, busyAndQuiet);
    expect(at).toBeGreaterThanOrEqual(5);
    expect(at).toBeLessThan(60);
  });

  it.each<[string, Partial<CanaryPolicy>]>([
    ['a critical endpoint', { endpoints: [setting('POST /**', { isCritical: true })] }],
    ['a critical check on every endpoint', { checks: errorsAlone({ isCritical: true }) }],
  ])('waits for the proof of %s, however quiet, and comes with it', (_, changes) => {
    const judged = comparison(policy(changes));
    const at = passesAt(judged, 2000, busyAndQuiet);
    expect(at).toBeGreaterThan(500);
    expect(judged.judge().unproven).toEqual([]);
    const isCritical = new Map(
      judged.judge().judgements.flatMap(({ check, evidence }) => (evidence.kind === 'comparison' ? [[check, evidence.isCritical]] : [])),
    );
    expect(isCritical.get('errors POST /pay')).toBe(true);
    expect(isCritical.get('errors GET /')).toBe(changes.checks !== undefined);
  });

  it('waits for a critical endpoint that the canary has not served yet, though not for one that only the canary has', () => {
    const critical = policy({ endpoints: [setting('POST /pay', { isCritical: true }), setting('POST /new', { isCritical: true })] });
    expect(passesAt(comparison(critical), 100, () => ({ 'GET /': BUSY, 'POST /pay': [counted(1, 0), NOTHING] }))).toBeNull();
    expect(passesAt(comparison(critical), 100, () => ({ 'GET /': BUSY, 'POST /new': [NOTHING, counted(1, 0)] }))).not.toBeNull();
  });

  it('waits for a critical check only where both releases serve', () => {
    const critical = policy({ checks: errorsAlone({ isCritical: true }) });
    expect(passesAt(comparison(critical), 100, () => ({ 'GET /': BUSY, 'POST /pay': [counted(1, 0), NOTHING] }))).not.toBeNull();
    expect(
      passesAt(comparison(critical), 100, (second) => ({ 'GET /': BUSY, 'POST /pay': second === 0 ? QUIET : [NOTHING, NOTHING] })),
    ).toBeNull();
  });

  it('asks a muted sick endpoint for nothing, though it carries most of the traffic', () => {
    const muted = policy({ endpoints: [setting('POST /pay', { isMuted: true })] });
    const sick = () => ({ 'GET /': BUSY, 'POST /pay': [counted(90_000, 0), counted(9000, 9000)] as const });
    expect(passesAt(comparison(muted), 100, sick)).toBe(passesAt(comparison(policy({})), 100, () => ({ 'GET /': BUSY })));
  });

  it('is never given to a canary of which everything is muted', () => {
    const muted = policy({ checks: { p50: MUTED, p95: MUTED, p99: MUTED, errors: MUTED } });
    expect(passesAt(comparison(muted), 60, () => ({ 'GET /': BUSY }))).toBeNull();
  });
});
