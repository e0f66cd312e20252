/** The print sink keeps the contract of sinks, and prints one line a signal. */
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { messageOf } from '../../src/sinks/message.ts';
import { PrintSink } from '../../src/sinks/print-sink.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import { describeSink, failureOf, never } from './sink.contract.ts';

describeSink('print', async () => {
  let mode: 'well' | 'broken' | 'stalled' = 'well';
  let text = '';
  let taken = () => {};
  const stream = new Writable({
    write(chunk, _encoding, done) {
      if (mode === 'broken') return done(new Error('EPIPE'));
      text += chunk;
      taken();
      if (mode === 'well') done();
    },
  });
  stream.on('error', () => {});
  return {
    sink: new PrintSink('terminal', stream),
    arrived: () => text.split('\n').slice(0, -1),
    breakDown: () => {
      mode = 'broken';
    },
    stall: () => {
      mode = 'stalled';
      return new Promise((resolve) => {
        taken = resolve;
      });
    },
    hasty: new PrintSink('terminal', stream, false, 50),
    dry: new PrintSink('terminal', stream, true),
    secrets: [],
    stop: async () => void stream.destroy(),
  };
});

describe('a stream that nobody reads', () => {
  it('is not given the same line again and again to keep in memory', async () => {
    const stream = new Writable({ highWaterMark: 16, write: () => undefined });
    const sink = new PrintSink('terminal', stream, false, 20);
    const message = messageOf(sampleSignal(), DECIDED_AT);
    expect(await failureOf(sink.deliver(message, never))).toMatchObject({ code: 'timeout' });
    const kept = stream.writableLength;
    expect(await failureOf(sink.deliver(message, never))).toMatchObject({ name: 'RetryableError', code: 'stream' });
    expect(stream.writableLength).toBe(kept);
    stream.destroy();
  });
});

describe('a printed signal', () => {
  it('is one line, whatever its summary says', async () => {
    let text = '';
    const stream = new Writable({
      write(chunk, _encoding, done) {
        text += chunk;
        done();
      },
    });
    const message = messageOf(sampleSignal({ summary: 'two\nlines\r\nand more\u2028' }), DECIDED_AT);
    await new PrintSink('terminal', stream).deliver(message, never);
    expect(text).toBe(`${message.body}\n`);
    expect(text.match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(text)).toMatchObject({ type: 'slipstream.signal.rollback', data: { summary: 'two\nlines\r\nand more\u2028' } });
  });

  it.each(['rollback', 'promote', 'hold', 'rolled_back'] as const)('may be of any action, such as %s', async (action) => {
    let text = '';
    const stream = new Writable({
      write(chunk, _encoding, done) {
        text += chunk;
        done();
      },
    });
    const sink = new PrintSink('terminal', stream);
    expect(sink.actions).toContain(action);
    await sink.deliver(messageOf(sampleSignal({ action }), DECIDED_AT), never);
    expect(JSON.parse(text)).toMatchObject({ type: `slipstream.signal.${action}` });
  });
});
