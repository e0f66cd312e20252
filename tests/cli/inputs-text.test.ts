/** What `slipstream status` says of spans that are not counted yet. */
import { expect, it } from 'vitest';
import { inputsText } from '../../src/cli/inputs-text.ts';
import type { InputsView } from '../../src/model/inputs-view.ts';

const NOW = Date.UTC(2026, 4, 1, 12);
const FINE: InputsView = {
  streamTime: NOW - 400,
  lagMs: 400,
  doubt: null,
  sources: 30,
  waitedFor: 0,
  givenUp: 0,
  lagging: [],
  quarantined: [],
};
const told = (inputs: InputsView | null): string => inputsText({ now: NOW, inputs }, {}).join('\n\n');

it('is silent where nothing is waited for', () => {
  expect([told(null), told(FINE)]).toEqual(['', '']);
});

it('says how far all is counted, and which sources are waited for since when', () => {
  const lagging = [
    { source: 'otlp_spans/7', completeUntil: null, stillSince: NOW - 200_000, isWaitedFor: true },
    { source: 'otlp/m-1', completeUntil: NOW - 190_000, stillSince: NOW - 189_000, isWaitedFor: false },
  ];
  expect(told({ ...FINE, streamTime: NOW - 185_000, lagMs: 185_000, doubt: 'input_lagging', waitedFor: 3, givenUp: 1, lagging })).toBe(
    [
      'All spans up to 2026-05-01 11:56:55 UTC, 3 min ago, are counted, but for those of 1 of 30 sources. No run promotes or rolls back before the rest is.',
      'SOURCE        COUNTED UP TO            BEHIND  STANDS STILL  STATE',
      'otlp_spans/7  never heard of                -         3 min  waited for',
      'otlp/m-1      2026-05-01 11:56:50 UTC   3 min         3 min  given up',
      'and 2 more of 30 sources',
    ].join('\n'),
  );
});

it.each([
  [0, 'Nothing is judged: no source of spans was heard of yet.'],
  [4, 'Nothing is judged: not all sources of spans were heard of yet.'],
])('says that nothing is judged before %s sources were heard of', (sources, line) => {
  expect(told({ ...FINE, streamTime: null, lagMs: null, doubt: 'input_lagging', sources })).toBe(line);
});

it('names records in quarantine, safe to be shown', () => {
  const quarantined = [{ source: 't/0', offset: 17, at: NOW, reason: 'not\u001b[2J OTLP' }];
  expect(told({ ...FINE, quarantined })).toBe('in quarantine: t/0 offset 17, of 2026-05-01 12:00:00 UTC: not\\u{1b}[2J OTLP');
});
