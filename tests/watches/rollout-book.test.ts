/** What is seen of objects, told as beginnings and ends of rollouts. */
import { describe, expect, it } from 'vitest';
import { RolloutBook } from '../../src/watches/rollout-book.ts';
import type { Reading, Told } from '../../src/watches/watched-rollout.ts';
import { ManualTime, until } from '../sinks/manual-time.ts';

const KEY = 'shop/cart';

function reading(fence: string, isInFlight = true, canaryShare: number | null = null, uid?: string): Reading {
  const target = { kind: 'Deployment', namespace: 'shop', name: 'cart', fence, ...(uid === undefined ? {} : { uid }) } as const;
  const rollout = {
    target,
    service: 'cart',
    revision: Number(fence),
    baseline: { r: 'a' },
    canary: { r: 'b' },
    startedAt: null,
    canaryShare,
  };
  return { target, inFlight: isInFlight ? rollout : null, isThrough: false };
}

function through(fence: string): Reading {
  return { ...reading(fence, false), isThrough: true };
}

/** `answer` says how each telling is taken, by its number from 0. */
function book(answer: (count: number) => Told | Promise<Told> = () => 'done') {
  const told: string[] = [];
  const trouble: string[] = [];
  const time = new ManualTime(0);
  const tell = (text: string) => answer(told.push(text) - 1);
  const made = new RolloutBook({
    handlers: {
      begin: ({ target, canaryShare }, moment) => tell(`begin ${target.fence} ${moment}${canaryShare === null ? '' : ` ${canaryShare}`}`),
      end: (id, how) => tell(`end ${id.split('~').at(-1)}${how === 'through' ? ' through' : ''}`),
    },
    onTrouble: (reason, text) => void trouble.push(`${reason} ${text}`),
    schedule: time.schedule,
  });
  return { book: made, told, trouble, time };
}

/** All that can happen without time passing. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

describe('a book of rollouts', () => {
  it.each<[string, readonly (Reading | null)[], readonly string[]]>([
    ['a rollout begins once, however often it is seen', [reading('1'), reading('1')], ['begin 1 found']],
    ['it ends when the object says so', [reading('1'), reading('1', false)], ['begin 1 found', 'end 1']],
    ['it ends by being through', [reading('1'), through('1')], ['begin 1 found', 'end 1 through']],
    ['a newer one that is through already says nothing good of the one before', [reading('1'), through('2')], ['begin 1 found', 'end 1']],
    ['what was through at first sight is told as that', [through('1')], ['end 1 through']],
    ['it ends when the object is gone', [reading('1'), null], ['begin 1 found', 'end 1']],
    ['an older one ends before a newer begins', [reading('1'), reading('2')], ['begin 1 found', 'end 1', 'begin 2 begun']],
    ['a new share of traffic is told', [reading('1', true, 0.1), reading('1', true, 0.5)], ['begin 1 found 0.1', 'begin 1 going_on 0.5']],
    ['what was over at first sight is told as over, once', [reading('1', false), reading('1', false)], ['end 1']],
    ['what begins again is a new attempt', [reading('1'), reading('1', false), reading('1')], ['begin 1 found', 'end 1', 'begin 1 begun']],
    [
      'an object that was made again under the same name ends what the one before began',
      [reading('2', true, null, 'old'), reading('2', true, null, 'new')],
      ['begin 2 found', 'end 2', 'begin 2 begun'],
    ],
    ['an object that was never seen may go', [null], []],
  ])('%s', async (_, seen, expected) => {
    const { book: one, told } = book();
    for (const each of seen) {
      if (each === null) one.gone(KEY);
      else one.seen(KEY, each);
      await settled();
    }
    expect(told).toEqual(expected);
  });

  it('tells again what could not be taken, until it is', async () => {
    const { book: one, told, time } = book((count) => (count < 2 ? 'later' : 'done'));
    one.seen(KEY, reading('1'));
    await time.next();
    await time.next();
    await settled();
    expect(told).toEqual(['begin 1 found', 'begin 1 found', 'begin 1 found']);
    expect(time.waiting).toBe(0);
  });

  it('tells again after a handler threw, and says so', async () => {
    const {
      book: one,
      told,
      trouble,
      time,
    } = book((count) => {
      if (count === 0) throw new Error('oops');
      return 'done';
    });
    one.seen(KEY, reading('1'));
    await time.next();
    await settled();
    expect([told.length, trouble]).toEqual([2, ['failed deployment~shop~cart~1: oops']]);
  });

  it('does not tell again what was refused, and says so', async () => {
    const { book: one, told, trouble, time } = book(() => 'refused');
    one.seen(KEY, reading('1'));
    await settled();
    one.seen(KEY, reading('1'));
    await settled();
    expect([told, trouble, time.waiting]).toEqual([['begin 1 found'], ['refused deployment~shop~cart~1'], 0]);
  });

  it('tells only the newest of what was seen while a telling was under way', async () => {
    let taken: (told: Told) => void = () => undefined;
    const { book: one, told } = book((count) => (count === 0 ? new Promise((resolve) => (taken = resolve)) : 'done'));
    one.seen(KEY, reading('1'));
    one.seen(KEY, reading('2'));
    one.seen(KEY, reading('3'));
    await until(() => told.length === 1);
    taken('done');
    await settled();
    expect(told).toEqual(['begin 1 found', 'end 1', 'begin 3 begun']);
  });

  it('loses nothing that is seen at any moment of a telling', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { book: one, told } = book();
      one.seen(KEY, reading('1'));
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      one.seen(KEY, reading('2'));
      await settled();
      expect(told.at(-1)).toMatch(/^begin 2 /);
    }
  });

  it('ends what is missing in a new list, of the namespace that was listed only', async () => {
    const { book: one, told } = book();
    one.seen('shop/cart', reading('1'));
    one.seen('bank/cart', reading('2'));
    await settled();
    one.keepOnly(new Set(), (key) => key.startsWith('shop/'));
    await settled();
    expect(told).toEqual(['begin 1 found', 'begin 2 found', 'end 1']);
  });

  it('says nothing more once it is closed', async () => {
    const { book: one, told, time } = book(() => 'later');
    one.seen(KEY, reading('1'));
    await settled();
    one.close();
    one.seen(KEY, reading('2'));
    await settled();
    expect([told.length, time.waiting]).toEqual([1, 0]);
  });
});
