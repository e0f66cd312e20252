/** The page about an objective, and the words it shares with tables and logs. */
import { describe, expect, it } from 'vitest';
import { MAX_LINES, sloExplanation } from '../../src/model/slo-explanation.ts';
import { budgetText, burnText, sliText, spanText, spentText, windowText } from '../../src/model/slo-text.ts';
import type { ObjectiveReport } from '../../src/model/slo-views.ts';
import { EMPTY, KEPT, OVERSPENT, REPORT } from './slo-reports.ts';

const page = (objective: ObjectiveReport): string => sloExplanation(objective, REPORT).join('\n');

describe('the page', () => {
  it.each([
    ['says how it stands, with the integers', 'shop:availability is met: 61 of 512,000 requests were bad, 512 may be'],
    ['spells out what the budget allows', 'allowed    (1 - 0.999) × 512,000 valid = 0.001 × 512,000 = 512 bad requests'],
    ['spells out what is spent', 'spent      61 bad / 512 allowed = 12 % (61 of 512)'],
    ['spells out what remains', 'remaining  1 - 61 / 512 = 88 % (451 of 512) left'],
    ['says what a release cost', 'release 1.5.0 cost 8 % (41 of 512) of the budget'],
    ['says where most of it was spent', 'look first POST /checkout in 1.5.0: 51 % of what was bad (31 of 61)'],
    ['says when the budget is spent', 'the budget is spent 2026-11-28 04:00:00 UTC (in 7 days) if that goes on'],
    ['says what maintenance took out', 'left out   by maintenance 1,200 valid, of which 300 were bad; now out: weekly-db'],
    ['says what was heard', 'heard      99.901 % (40,280 of 40,320 minutes)'],
    ['says how the service delivers', 'rollouts   12 in 28d, 0.429 a day, rolled back 17 % (2 of 12)'],
    ['names steep trends', 'changes by 7 % a day, which is too steep'],
    ['names the configuration', 'configuration r1'],
  ])('%s', (_name, text) => {
    expect(page(KEPT)).toContain(text);
  });

  it('has a line per tier with both burns, their counts and why it does not fire', () => {
    expect(page(KEPT)).toMatch(
      /^ {2}page +1h\/5m +13\.4 = 1\.3 % bad +2 % \(10 of 512\) +3\.75: 0\.38 % \(3 of 800\) +0: 0 % \(0 of 60\) +not above 13\.4 over 1h$/m,
    );
  });

  it.each([
    [{ longBurn: 19.8, shortBurn: 20, why: 'below_long' }, 'spent 0.59 % (3 of 512), not above 2 %'],
    [{ longBurn: 19.8, shortBurn: 20, why: 'below_short' }, 'spends too little over 5m: it is over'],
    [{ longBurn: 19.8, shortBurn: 2, why: 'below_short' }, 'not above 13.4 over 5m: it is over'],
    [{ longBurn: 19.8, longSpent: null, why: 'no_data' }, "a whole period's budget is not known yet"],
  ] as const)('never says of a tier that burns above its limit that it does not: %o', (reading, text) => {
    const [tier] = KEPT.alert.tiers;
    if (tier === undefined) throw new RangeError('no tier to change');
    expect(page({ ...KEPT, alert: { ...KEPT.alert, tiers: [{ ...tier, ...reading }] } })).toContain(text);
  });

  it('shares bad slices of time out by their bad requests, all of which it names', () => {
    const rows = KEPT.ledger.rows.map((row) => ({ ...row, budgetShare: (row.bad / 61) * 40 }));
    const slices: ObjectiveReport = { ...KEPT, unit: 'slices', counts: { ...KEPT.counts, valid: 50, bad: 2 }, allowedBad: 0.05 };
    const text = page({ ...slices, budgetRemaining: -39, ledger: { ...KEPT.ledger, rows } });
    expect(text).toContain('release 1.5.0 cost 2,689 % (41 of 61 bad requests) of the budget');
    expect(text).toMatch(/POST \/checkout +1\.5\.0 +31 +2,033 % \(31 of 61 bad requests\)$/m);
    expect(text).toContain('spent      2 bad / 0.05 allowed = 4,000 % (2 of 0.05)');
  });

  it('never says that nothing was bad where slices of time were', () => {
    const quiet: ObjectiveReport = {
      ...KEPT,
      unit: 'slices',
      counts: { ...KEPT.counts, valid: 62, bad: 1 },
      ledger: { ...KEPT.ledger, rows: [] },
    };
    expect(page(quiet)).toContain('no endpoint by itself: slices were bad, and no request in them');
    expect(page(quiet)).not.toContain('nothing was bad');
    expect(page({ ...quiet, counts: { ...quiet.counts, bad: 0 } })).toContain('nobody: nothing was bad');
  });

  it('has a line per incident with detection, end and its share', () => {
    expect(page(KEPT)).toMatch(/2026-11-20 06:00:00 UTC +after 4 min +after 60 min +page +41 +8 % \(41 of 51[23]\) +1\.5\.0$/m);
  });

  it('shows an overspent budget with its sign, since when it counts, and that the alert is frozen', () => {
    const text = page(OVERSPENT);
    expect(text).toContain('remaining  1 - 41 / 40.03 = -2.4 % (-1 of 40) left');
    expect(text).toContain('since 2026-11-20 12:00:00 UTC only');
    expect(text).toContain('page fires since 2026-11-21 11:00:00 UTC; frozen');
    expect(text).toContain('overspent; kept again 2026-11-24 12:00:00 UTC (in 3 days) if nothing more goes wrong');
  });

  it('says of no data that it is no data, and claims no number', () => {
    const text = page(EMPTY);
    expect(text).toContain('shop:latency is no data: nothing valid was counted in its window');
    expect(text).not.toContain('remaining');
    expect(text).not.toContain('NaN');
  });

  it('cannot be forged by names', () => {
    expect(page(KEPT)).not.toContain('\u001b');
    expect(page(KEPT)).toContain('GET /cart\\u{1b}[2J');
  });

  it('is at most 60 lines, however much there is to tell', () => {
    const row = KEPT.ledger.rows[0];
    const incident = KEPT.incidents[0];
    const tier = KEPT.alert.tiers[0];
    if (row === undefined || incident === undefined || tier === undefined) throw new RangeError('nothing to repeat');
    const long: ObjectiveReport = {
      ...KEPT,
      text: `${KEPT.text} ${'and so on '.repeat(90)}`,
      alert: { ...KEPT.alert, tiers: Array.from({ length: 40 }, () => tier) },
      ledger: { ...KEPT.ledger, rows: Array.from({ length: 40 }, () => row) },
      incidents: Array.from({ length: 40 }, () => incident),
    };
    expect(sloExplanation(long, REPORT).length).toBeLessThanOrEqual(MAX_LINES);
    expect(page(long)).toContain('… and 32 more');
  });
});

describe('numbers', () => {
  it.each([
    [1 / 2, 12.003, 6, '50 % (6 of 12)'],
    [1, 512, 0, '100 % (512 of 512)'],
    [0, 100, 100, '0 % (0 of 100)'],
    [-2, 10, 30, '-200 % (-20 of 10)'],
    [-14, 1.2, 18, '-1,400 % (-16.8 of 1.2)'],
    [1, 0.05, 0, '100 % (0.05 of 0.05)'],
    [-979, 0.049, 48, '-97,900 % (-47.95 of 0.049)'],
    [0.5, 2, 1, '50 % (1 of 2)'],
    [1 - 3.25 / 40.32, 40.32, 3.25, '91.9 % (37.07 of 40.32)'],
    [0.12 / 40.32, 40.32, 40.2, '0.3 % (0.12 of 40.32)'],
    [1 - 3.25 / 0.62, 0.62, 3.25, '-424 % (-2.63 of 0.62)'],
    [0.9, 20, 2.25, '90 % (17.75 of 20)'],
    [null, 0, 0, '-'],
  ])('a budget of which %s is left, of %s allowed with %s bad, is %s', (remaining, allowed, bad, text) => {
    expect(budgetText(remaining, allowed, bad)).toBe(text);
  });

  it.each([
    [{ valid: 12_003, bad: 6 }, '99.95 % (11,997 of 12,003)'],
    [{ valid: 3, bad: 3 }, '0 % (0 of 3)'],
    [{ valid: 4003, bad: 41 }, '98.98 % (3,962 of 4,003)'],
    [{ valid: 1_000_000, bad: 10_001 }, '98.9999 % (989,999 of 1,000,000)'],
    [{ valid: 100, bad: 1 }, '99 % (99 of 100)'],
    [{ valid: 1e9, bad: 1 }, '99.9999999 % (999,999,999 of 1,000,000,000)'],
    [{ valid: 0, bad: 0 }, '-'],
  ])('an SLI of %o is %s, beside a target of 99 %%', (counts, text) => {
    expect(sliText(counts, 0.99)).toBe(text);
  });

  it('a share of no budget is no percentage', () => {
    expect(spentText(null, 3, 0)).toBe('- (3)');
  });

  it.each([
    [14.4, '14.4'],
    [1000, '1,000'],
    [0.0523, '0.0523'],
    [null, '-'],
  ])('a burn of %s is %s', (burn, text) => {
    expect(burnText(burn)).toBe(text);
  });

  it.each([
    [28 * 86_400_000, '28d'],
    [5_400_000, '90m'],
    [3_600_000, '1h'],
    [1500, '1500ms'],
  ])('%s ms are %s', (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });

  it('a window of the calendar names its unit and zone', () => {
    expect(windowText({ windowMs: 1, calendar: { unit: 'month', count: 1, timeZone: 'Europe/Lisbon' } })).toBe('month in Europe/Lisbon');
    expect(windowText({ windowMs: 1, calendar: { unit: 'week', count: 2, timeZone: 'UTC' } })).toBe('2 weeks in UTC');
  });
});
