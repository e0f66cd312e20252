/** What writers and readers are made of, without a broker. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { type FetchedMessage, hideAborted } from '../../src/kafka/aborted-records.ts';
import { committedPosition, offsetMetadata } from '../../src/kafka/committed-offset.ts';
import { kafkaFailure, kafkaReason } from '../../src/kafka/kafka-errors.ts';
import { batchesOf, messagesOf, notWrittenOnce } from '../../src/kafka/transactional-writer-batches.ts';

const protocol = (type: string, extra: object = {}) =>
  Object.assign(new Error(`said ${type}`), { name: 'KafkaJSProtocolError', type, ...extra });
const wrapped = (cause: unknown, name: string) => Object.assign(new Error('gave up', { cause }), { name, retriable: false });
const unknown = (code: number) =>
  Object.assign(new Error(`Unknown error code ${code}`), {
    name: 'KafkaJSProtocolError',
    type: 'KAFKAJS_UNKNOWN_ERROR_CODE',
    retriable: false,
  });

describe('an error of kafkajs', () => {
  it.each([
    ['an older epoch', protocol('INVALID_PRODUCER_EPOCH'), 'fenced'],
    ['PRODUCER_FENCED, by number', unknown(90), 'fenced'],
    [
      'a fence that a retry gave up with',
      wrapped(wrapped(unknown(90), 'KafkaJSNonRetriableError'), 'KafkaJSNumberOfRetriesExceeded'),
      'fenced',
    ],
    ['TRANSACTION_ABORTABLE, by number', unknown(120), 'broken'],
    ['markers that are not written yet', protocol('CONCURRENT_TRANSACTIONS', { retriable: true }), 'again'],
    ['a coordinator that moves', protocol('NOT_COORDINATOR_FOR_GROUP', { retriable: true }), 'again'],
    [
      'a broker that is gone, after retries',
      wrapped(wrapped(new Error(), 'KafkaJSConnectionError'), 'KafkaJSNumberOfRetriesExceeded'),
      'again',
    ],
    ['a request without an answer', wrapped(undefined, 'KafkaJSRequestTimeoutError'), 'again'],
    ['too large', protocol('MESSAGE_TOO_LARGE', { retriable: false }), 'refused'],
    ['no permission', protocol('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', { retriable: false }), 'refused'],
    ['a sequence number out of order', protocol('OUT_OF_ORDER_SEQUENCE_NUMBER', { retriable: false }), 'broken'],
    ['an id that the broker forgot', protocol('INVALID_PRODUCER_ID_MAPPING', { retriable: false }), 'broken'],
    ['an error of anybody', new TypeError('x is not a function'), 'broken'],
    ['no error at all', 'what', 'broken'],
  ])('means for a writer: %s', (_, error, failure) => {
    expect(kafkaFailure(error)).toBe(failure);
  });

  it('is told in the words of its innermost cause', () => {
    expect(kafkaReason(wrapped(protocol('MESSAGE_TOO_LARGE'), 'KafkaJSNonRetriableError'))).toBe(
      'MESSAGE_TOO_LARGE: said MESSAGE_TOO_LARGE',
    );
    const loop: { cause?: unknown } = {};
    loop.cause = loop;
    expect(kafkaFailure(loop)).toBe('broken');
  });
});

describe('a committed position', () => {
  const offsets = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const anchors = fc.option(fc.record({ offset: offsets, timestampMs: fc.integer({ min: -1, max: 8.64e15 }) }));
  test.prop([offsets, anchors])('comes back with its anchor', (offset, anchor) => {
    const position = { offset, anchor };
    expect(committedPosition(`${offset}`, offsetMetadata(position))).toEqual(position);
  });

  it.each([
    ['-1', '', null],
    ['', '', { offset: 0, anchor: null }],
    ['nine', '', null],
    ['7', null, { offset: 7, anchor: null }],
    ['7', 'written by something else', { offset: 7, anchor: null }],
  ])('of offset %j and metadata %j is %j', (offset, metadata, position) => {
    expect(committedPosition(offset, metadata)).toEqual(position);
  });
});

describe('batches', () => {
  const record = fc.record({
    topic: fc.constantFrom('a', 'b'),
    partition: fc.integer({ min: 0, max: 2 }),
    key: fc.option(fc.string({ maxLength: 5 })),
    value: fc.option(fc.integer({ min: 0, max: 900_000 }).map((length) => new Uint8Array(length))),
  });
  test.prop([fc.array(record, { maxLength: 40 })], { numRuns: 50 })(
    'hold every record in order, and of a partition only what a broker takes',
    (records) => {
      const batches = [...batchesOf(records)];
      expect(batches.flat()).toEqual(records);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        for (const ofPartition of Map.groupBy(batch, ({ topic, partition }) => `${topic}/${partition}`).values()) {
          const bytes = ofPartition.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0);
          if (ofPartition.length > 1) expect(bytes).toBeLessThan(1_048_588 - 100_000);
        }
        const sent = messagesOf(batch);
        expect(new Set(sent.map(({ topic }) => topic)).size).toBe(sent.length);
        expect(sent.flatMap(({ messages }) => messages)).toHaveLength(batch.length);
      }
    },
  );

  const sent = [0, 1].map((partition) => ({ topic: 'a', partition, key: null, value: null }));
  const answer = (partition: number) => ({ topicName: 'a', partition, errorCode: 0 });
  it.each([
    ['an answer for each', [answer(0), answer(1)], []],
    ['none for one', [answer(0)], ['a/1']],
    ['two for one', [answer(0), answer(1), answer(0)], ['a/0']],
  ])('are written once only with %s', (_, answers, wrong) => {
    expect(notWrittenOnce(sent, answers)).toEqual(wrong);
  });
});

describe('records of aborted transactions', () => {
  const ABORT = Buffer.from([0, 0, 0, 0]);
  const COMMIT = Buffer.from([0, 0, 0, 1]);
  interface Written {
    readonly producerId: string;
    readonly what: 'data' | 'abort' | 'commit';
  }
  const log = fc.array(
    fc.record({ producerId: fc.constantFrom('1', '2', '3'), what: fc.constantFrom('data', 'data', 'data', 'abort', 'commit') }),
    { maxLength: 40 },
  );

  test.prop([log, fc.nat(40)])('are hidden, and no others, wherever the fetch begins', (written: readonly Written[], from) => {
    const open = new Map<string, number[]>();
    const aborted: { producerId: string; firstOffset: string; lastOffset: number }[] = [];
    const hidden = new Set<number>();
    for (const [offset, { producerId, what }] of written.entries()) {
      const offsets = open.get(producerId) ?? [];
      if (what === 'data') open.set(producerId, [...offsets, offset]);
      else open.delete(producerId);
      if (what !== 'abort' || offsets.length === 0) continue;
      aborted.push({ producerId, firstOffset: `${offsets[0]}`, lastOffset: offset });
      for (const one of offsets) hidden.add(one);
    }
    // Readers see nothing from the first record of an open transaction on.
    const end = Math.min(written.length, ...[...open.values()].map(([first]) => first ?? Number.POSITIVE_INFINITY));
    const messages = written.slice(0, end).map(({ producerId, what }, offset): FetchedMessage => {
      const isControlRecord = what !== 'data';
      const key = what === 'data' ? Buffer.from([0, 0, 0, 0]) : what === 'abort' ? ABORT : COMMIT;
      return { offset: `${offset}`, key, isControlRecord, batchContext: { producerId, inTransaction: true } };
    });
    const partition = {
      abortedTransactions: aborted.filter(({ firstOffset, lastOffset }) => Number(firstOffset) < end && lastOffset >= from).sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset)), // biome-ignore format: one thing
      messages: messages.slice(from),
    };
    hideAborted(partition);
    const seen = partition.messages.filter(({ isControlRecord }) => !isControlRecord).map(({ offset }) => Number(offset));
    const committed = written.flatMap(({ what }, offset) =>
      what === 'data' && !hidden.has(offset) && offset >= from && offset < end ? [offset] : [],
    );
    expect(seen).toEqual(committed);
  });

  it('outside of transactions are left alone', () => {
    const message = { offset: '5', key: null, isControlRecord: false, batchContext: { producerId: '1', inTransaction: false } };
    hideAborted({ abortedTransactions: [{ producerId: '1', firstOffset: '3' }], messages: [message] });
    expect(message.isControlRecord).toBe(false);
  });
});
