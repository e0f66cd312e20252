import { randomBytes } from 'node:crypto';
import { constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { Admission } from '../../src/receivers/admission.ts';
import { type Compression, inflate } from '../../src/receivers/inflate.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

const MIB = 1024 * 1024;
const COMPRESSORS: readonly [Compression, (bytes: Buffer) => Buffer][] = [
  ['identity', (bytes) => bytes],
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['zstd', zstdCompressSync],
];

function admission(limitBytes = 1024 * MIB): Admission {
  return new Admission(limitBytes, new MemoryTelemetry());
}

/** Gzip that says it holds one byte. */
function lyingGzip(bytes: Buffer): Buffer {
  const compressed = gzipSync(bytes);
  compressed.writeUInt32LE(1, compressed.length - 4);
  return compressed;
}

describe('inflating', () => {
  property.prop([fc.constantFrom(...COMPRESSORS), fc.uint8Array({ maxLength: 5000 }), fc.integer({ min: 1, max: 400 })])(
    'gives back what was compressed',
    async ([compression, compress], piece, times) => {
      const bytes = Buffer.concat(Array.from({ length: times }, () => piece));
      const result = await inflate(compression, compress(bytes), 4 * MIB, admission().lease());
      expect('bytes' in result && result.bytes.equals(bytes)).toBe(true);
    },
  );

  it.each(COMPRESSORS)('%s allows the limit and not a byte more', async (compression, compress) => {
    for (const limit of [1000, 200_000, 3 * MIB]) {
      for (const bytes of [Buffer.alloc(limit + 1), randomBytes(limit + 1)]) {
        const lease = admission().lease();
        expect(await inflate(compression, compress(bytes.subarray(1)), limit, lease)).toHaveProperty('bytes');
        expect(await inflate(compression, compress(bytes), limit, lease)).toMatchObject({ refused: { outcome: 'too_large' } });
      }
    }
  });

  it('joins the members of a gzip file', async () => {
    const members = Buffer.concat([gzipSync('some '), gzipSync(Buffer.alloc(300_000, 'x')), gzipSync(' spans')]);
    const result = await inflate('gzip', members, MIB, admission().lease());
    expect('bytes' in result && result.bytes.toString()).toBe(`some ${'x'.repeat(300_000)} spans`);
  });

  it('refuses gzip that says it is too large without inflating it', () => {
    const door = admission();
    expect(inflate('gzip', gzipSync(Buffer.alloc(64 * MIB)), MIB, door.lease())).toMatchObject({ refused: { outcome: 'too_large' } });
    expect(door.heldBytes).toBe(0);
  });

  it.each([
    [23, 'bytes'],
    [24, 'refused'],
  ])('zstd with a window of 2^%i bytes ends in %s', async (windowLog, end) => {
    const params = { [constants.ZSTD_c_windowLog]: windowLog };
    const body = zstdCompressSync(Buffer.alloc(40 * MIB), { params });
    expect(await inflate('zstd', body, 64 * MIB, admission().lease())).toHaveProperty(end);
  });

  it.each<[Compression, (bytes: Buffer) => Buffer]>([
    ['gzip', lyingGzip],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ])('many bombs of %s at once hold no more than what may be in flight', async (compression, compress) => {
    const door = admission(8 * MIB);
    const bomb = compress(Buffer.alloc(64 * MIB));
    let peakBytes = 0;
    const watch = setInterval(() => {
      peakBytes = Math.max(peakBytes, door.heldBytes);
    }, 1);
    const results = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const lease = door.lease();
        const result = await inflate(compression, bomb, 4 * MIB, lease);
        lease.close();
        return 'refused' in result ? result.refused.outcome : 'inflated';
      }),
    );
    clearInterval(watch);
    expect(results.filter((result) => result !== 'too_large' && result !== 'overloaded')).toEqual([]);
    expect(peakBytes).toBeGreaterThan(0);
    expect(peakBytes).toBeLessThanOrEqual(8 * MIB);
    expect(door.heldBytes).toBe(0);
  });
});
