import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { Admission } from '../../src/receivers/admission.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

function admission(limitBytes: number) {
  const telemetry = new MemoryTelemetry();
  return { telemetry, door: new Admission(limitBytes, telemetry) };
}

describe('admission', () => {
  it('refuses bytes beyond the limit and keeps what was held', () => {
    const { door } = admission(100);
    const [first, second] = [door.lease(), door.lease()];
    expect(first.grow(60)).toBe(true);
    expect(second.grow(41)).toBe(false);
    expect(second.grow(40)).toBe(true);
    expect(door.heldBytes).toBe(100);
    expect(door.hasRoom(1)).toBe(false);
  });

  it('lets a single request in even when it alone exceeds the limit', () => {
    const { door } = admission(100);
    const lease = door.lease();
    expect(lease.grow(90)).toBe(true);
    expect(lease.grow(90)).toBe(true);
    expect(door.lease().grow(1)).toBe(false);
  });

  it('gives a lease back once only, and a closed lease holds no more', () => {
    const { door } = admission(100);
    const [lease, other] = [door.lease(), door.lease()];
    other.grow(10);
    lease.grow(50);
    lease.close();
    lease.close();
    expect(lease.grow(1)).toBe(false);
    expect(door.heldBytes).toBe(10);
  });

  it('shows in the gauge what is held, and nothing at the end', () => {
    const { door, telemetry } = admission(10_000_000);
    const lease = door.lease();
    lease.grow(1_000_000);
    expect(telemetry.value('receiver_in_flight_bytes')).toBe(1_000_000);
    lease.close();
    expect(telemetry.value('receiver_in_flight_bytes')).toBe(0);
  });

  property.prop([fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 60 }), fc.boolean()), { maxLength: 60 })])(
    'never holds more than the limit while two requests share it, and holds nothing after all are closed',
    (steps) => {
      const { door } = admission(100);
      const leases = Array.from({ length: 6 }, () => door.lease());
      const held = new Array<number>(6).fill(0);
      for (const [index, bytes, isClosing] of steps) {
        const lease = leases[index];
        if (lease === undefined) continue;
        if (isClosing) {
          lease.close();
          held[index] = 0;
        } else if (lease.grow(bytes)) {
          held[index] = (held[index] ?? 0) + bytes;
          if (held.filter((n) => n > 0).length > 1) expect(door.heldBytes).toBeLessThanOrEqual(100);
        }
        expect(door.heldBytes).toBe(held.reduce((a, b) => a + b, 0));
      }
      for (const lease of leases) lease.close();
      expect(door.heldBytes).toBe(0);
    },
  );
});
