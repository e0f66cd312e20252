/** One breaker over all members: however their requests interleave, no more rollbacks leave in an hour than one member would let out. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PermitSignal, RollbackPermits } from '../../../src/service/members/rollback-permits.ts';
import { MemoryTelemetry } from '../../support/memory-telemetry.ts';
import { ControlList } from './members-stand.ts';

const HOUR = 3_600_000;
const NO_CAUSE = { services: 0, withinMs: 600_000 };

class Stand {
  readonly control = new ControlList();
  readonly telemetry = new MemoryTelemetry();
  now = Date.UTC(2026, 4, 1, 12);
  limits = { maxRollbacksPerHour: 2, commonCause: NO_CAUSE };

  member(name: string): RollbackPermits {
    const permits = new RollbackPermits({
      ...{ log: this.control, member: name, telemetry: this.telemetry },
      limits: () => this.limits,
      now: () => this.now,
      monotonicMs: () => this.now,
    });
    this.control.follow((record) => permits.take(record));
    return permits;
  }

  signal(id: string, service = id): PermitSignal {
    return { id, service, action: 'rollback', evidenceAt: this.now };
  }
}

describe('a rollback', () => {
  it('waits until its place is known, then leaves', async () => {
    const stand = new Stand();
    const a = stand.member('a');
    expect(a.mayLeave(stand.signal('s-1'))).toBe('wait');
    expect(await a.asked(stand.signal('s-1'))).toBe('yes');
    expect(a.mayLeave(stand.signal('s-1'))).toBe('yes');
  });

  it.each(['promote', 'hold', 'rolled_back'] as const)('is the only action that is held: %s leaves at once', (action) => {
    const stand = new Stand();
    stand.control.isAway = true;
    expect(stand.member('a').mayLeave({ ...stand.signal('s-1'), action })).toBe('yes');
  });

  it('beyond what is allowed over all members is held, and leaves after an hour without being counted twice', async () => {
    const stand = new Stand();
    const [a, b] = [stand.member('a'), stand.member('b')];
    expect(await a.asked(stand.signal('s-1'))).toBe('yes');
    expect(await b.asked(stand.signal('s-2'))).toBe('yes');
    const third = stand.signal('s-3');
    expect(await b.asked(third)).toBe('held');
    expect([a.rollbacksLastHour(), b.rollbacksLastHour()]).toEqual([2, 2]);
    stand.now += HOUR;
    expect(b.mayLeave(third)).toBe('held');
    await expect.poll(() => b.mayLeave(third)).toBe('yes');
    expect([a.rollbacksLastHour(), b.rollbacksLastHour()]).toEqual([1, 1]);
  });

  it('that is held leaves once somebody has reset the breaker on any member', async () => {
    const stand = new Stand();
    const [a, b] = [stand.member('a'), stand.member('b')];
    for (const id of ['s-1', 's-2']) await a.asked(stand.signal(id));
    expect(await b.asked(stand.signal('s-3'))).toBe('held');
    await a.reset('ana');
    stand.now += 2_000;
    await expect.poll(() => b.mayLeave(stand.signal('s-3'))).toBe('yes');
  });

  it('keeps its permit when its service goes to another member, and is not counted again', async () => {
    const stand = new Stand();
    const a = stand.member('a');
    await a.asked(stand.signal('s-1'));
    const c = stand.member('c');
    expect(c.mayLeave(stand.signal('s-1'))).toBe('yes');
    expect(c.rollbacksLastHour()).toBe(1);
  });

  it('waits while the control topic does not take it, is told of, and leaves afterwards', async () => {
    const stand = new Stand();
    stand.control.isAway = true;
    const a = stand.member('a');
    expect(a.mayLeave(stand.signal('s-1'))).toBe('wait');
    await expect.poll(() => stand.telemetry.value('rollback_permits_total', { result: 'failed' })).toBe(1);
    stand.control.isAway = false;
    stand.now += 2_000;
    await expect.poll(() => a.mayLeave(stand.signal('s-1'))).toBe('yes');
  });

  it('is held when services of several members turned bad at once', async () => {
    const stand = new Stand();
    stand.limits = { maxRollbacksPerHour: 100, commonCause: { services: 3, withinMs: 600_000 } };
    const [a, b] = [stand.member('a'), stand.member('b')];
    expect(await a.asked(stand.signal('s-1', 'cart'))).toBe('yes');
    await a.harmProven('ro-2', 'search');
    expect(await b.asked(stand.signal('s-3', 'pay'))).toBe('held');
    stand.now += 600_001;
    expect(await b.asked(stand.signal('s-4', 'mail'))).toBe('yes');
  });
});

it('however members interleave, all agree, and no hour sees more permits than are allowed', async () => {
  const step = fc.record({ member: fc.nat(2), id: fc.nat(7), passMs: fc.constantFrom(0, 1, 60_000, HOUR / 2, HOUR) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const stand = new Stand();
      const members = ['a', 'b', 'c'].map((name) => stand.member(name));
      const left: { id: string; at: number }[] = [];
      for (const { member, id, passMs } of steps) {
        stand.now += passMs;
        const signal = stand.signal(`s-${id}`);
        const asked = () => Promise.all([members[member]?.asked(signal), members[(member + 1) % 3]?.asked(signal)]);
        // As deliveries do, which ask again every second: a permit that was given in between is used at once.
        const answers = [...(await asked()), ...(await asked())];
        if (answers.includes('yes') && !left.some((known) => known.id === signal.id)) left.push({ id: signal.id, at: stand.now });
        expect(new Set(members.map((one) => one.rollbacksLastHour())).size).toBe(1);
      }
      for (const { at } of left) expect(left.filter((other) => other.at > at - HOUR && other.at <= at).length).toBeLessThanOrEqual(2);
      // Who comes later reads the same.
      const late = stand.member('late');
      for (const { id } of left) expect(late.mayLeave(stand.signal(id))).toBe('yes');
    }),
    { numRuns: 100 },
  );
});
