import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { GrpcFrames } from '../../src/receivers/grpc-frames.ts';
import { MessageBuffers } from '../../src/receivers/message-buffer.ts';

function framed(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

describe('gRPC frames', () => {
  property.prop([
    fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
    fc.integer({ min: 1, max: 400 }),
    fc.integer({ min: 0, max: 1 }),
  ])('are cut the same however the stream is', (messages, pieceBytes, flag) => {
    const frames = new GrpcFrames(1000, new MessageBuffers());
    const stream = Buffer.concat(messages.map((message) => framed(message, flag)));
    const whole: Buffer[] = [];
    for (let at = 0; at < stream.length; at += pieceBytes) whole.push(...(frames.write(stream.subarray(at, at + pieceBytes)) ?? []));
    expect(whole.map((frame) => frame.toString('hex'))).toEqual(messages.map((message) => framed(message, flag).toString('hex')));
  });

  it('that announce more than the limit are refused at their prefix', () => {
    const frames = new GrpcFrames(10, new MessageBuffers());
    expect(frames.write(framed(Buffer.alloc(10)))?.length).toBe(1);
    expect(frames.write(framed(Buffer.alloc(11)).subarray(0, 5))).toBeNull();
  });
});

describe('message buffers', () => {
  property.prop([fc.array(fc.uint8Array({ maxLength: 200_000 }), { maxLength: 8 }), fc.nat({ max: 1_000_000 })])(
    'gather a message whatever was expected of its length',
    (chunks, expectedBytes) => {
      const message = new MessageBuffers().message(expectedBytes);
      for (const chunk of chunks) message.append(Buffer.from(chunk));
      expect(message.bytes().equals(Buffer.concat(chunks))).toBe(true);
    },
  );

  it('are used again once given back, never twice at a time', () => {
    const buffers = new MessageBuffers();
    const first = buffers.take(100_000);
    buffers.giveBack(first.subarray(5, 50));
    buffers.giveBack(first);
    const second = buffers.take(100_000);
    const third = buffers.take(100_000);
    expect(second.buffer).toBe(first.buffer);
    expect(third.buffer).not.toBe(first.buffer);
  });

  it('take nothing that is not theirs', () => {
    const buffers = new MessageBuffers();
    buffers.giveBack(Buffer.alloc(100_000));
    expect(buffers.keptBytes).toBe(0);
  });

  it('keep at most 32 MiB, and nothing beyond 8 MiB in one piece', () => {
    const buffers = new MessageBuffers();
    const lent = Array.from({ length: 100 }, () => buffers.take(1024 * 1024));
    const large = buffers.take(9 * 1024 * 1024);
    buffers.giveBack(large);
    expect(buffers.keptBytes).toBe(0);
    for (const buffer of lent) buffers.giveBack(buffer);
    expect(buffers.keptBytes).toBe(32 * 1024 * 1024);
  });

  it.each([1, 65_536, 65_537, 270_000, 4_300_000, 5_000_000])('of %i bytes are at most a quarter too large, or 64 KiB', (bytes) => {
    const { length } = new MessageBuffers().take(bytes);
    expect(length).toBeGreaterThanOrEqual(bytes);
    expect(length).toBeLessThanOrEqual(Math.max(64 * 1024, 1.25 * bytes));
  });
});
