/** Own definitions of bad from the bytes of a request to the counters of a flush, beside a recount that only compares texts. */
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import type { Objective } from '../../src/model/objective.ts';
import { eventRulesOf } from '../../src/model/objective-binding.ts';
import { ruleCounterAt, type SeriesInfo } from '../../src/model/series.ts';
import type { SlotDeltas } from '../../src/model/slot-deltas.ts';
import type { EventRule } from '../../src/model/span-rules.ts';
import { Stages } from '../../src/service/stages.ts';
import { jsonRequest } from '../support/otlp-json.ts';
import { encodeRequest, type KeyValueInput, type RequestInput } from '../support/otlp-proto.ts';
import { objective, policies } from '../support/policies.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';

const T0 = 1_800_000_000_000;
const STATUS = 'http.response.status_code';

const LIMITED: EventRule = { key: 'limited', where: null, bad: [{ [STATUS]: ['429', '500', '503'] }] };
const GOLD: EventRule = { key: 'gold', where: { tier: ['gold'] }, bad: [{ 'span.status': ['error'] }, { region: ['eu'], result: ['*'] }] };

function events(rule: EventRule, endpoint: string | null, name = rule.key): Objective {
  return objective({ service: 'shop', name, endpoint, sli: { kind: 'events', rule } });
}

const FAST = objective({ service: 'shop', name: 'fast', endpoint: 'GET /a', sli: { kind: 'latency', thresholdNs: 5_000_000 } });
const OBJECTIVES = [
  events(GOLD, 'GET /a'),
  FAST,
  events(LIMITED, null),
  events(GOLD, 'GET /b', 'golden'),
  events(LIMITED, 'GET /a', 'twice'),
];

function configOf(objectives: readonly Objective[]) {
  const all = policies({ objectives });
  const { digits, highestUs } = new HistogramLayout();
  const spans = { ...TEST_SPAN_RULES, events: eventRulesOf(all) };
  return { histogram: { digits, highestUs }, series: { maxTotal: 1000, maxReleasesPerService: 10 }, spans, policies: all };
}

function stagesOf(objectives: readonly Objective[]): Stages {
  return new Stages({ config: configOf(objectives), source: 'test', epoch: '1', hashSeed: 1 });
}

interface Span {
  readonly service: string;
  readonly region: string;
  readonly endpoint: string;
  readonly slot: number;
  /** Negative: its start lies after its end. */
  readonly durationMs: number;
  readonly status: number;
  readonly http: string;
  readonly isHttpText: boolean;
  readonly tier: string;
  readonly result: string;
  /** 1, 2 or 4. */
  readonly weight: number;
}

function text(key: string, value: string): KeyValueInput[] {
  return value === '' ? [] : [{ key, value: { stringValue: value } }];
}

/** One request for each span, so that resources differ. */
function requestOf(spans: readonly Span[]): RequestInput {
  const resourceSpans = spans.map(({ service, region, endpoint, slot, durationMs, status, http, isHttpText, tier, result, weight }) => {
    const endTimeUnixNano = BigInt(T0 + slot * 1000) * 1_000_000n;
    const code = http === '' ? [] : [{ key: STATUS, value: isHttpText ? { stringValue: http } : { intValue: Number(http) } }];
    const span = {
      name: endpoint,
      kind: 2,
      startTimeUnixNano: endTimeUnixNano - BigInt(durationMs) * 1_000_000n,
      endTimeUnixNano,
      status: { code: status },
      attributes: [
        ...text('http.request.method', 'GET'),
        ...text('http.route', endpoint.slice(4)),
        ...text('tier', tier),
        ...text('result', result),
        ...code,
      ],
      traceState: { 1: '', 2: 'ot=th:8', 4: 'ot=th:c' }[weight] ?? '',
    };
    return {
      resource: { attributes: [...text('service.name', service), ...text('region', region)] },
      scopeSpans: [{ spans: [span] }],
    };
  });
  return { resourceSpans };
}

const anySpan = fc.record({
  service: fc.constantFrom('shop', 'shop', 'cart'),
  region: fc.constantFrom('', 'eu', 'us'),
  endpoint: fc.constantFrom('GET /a', 'GET /b', 'GET /c'),
  slot: fc.integer({ min: -2, max: 0 }),
  durationMs: fc.constantFrom(-1, 1, 5, 6, 100),
  status: fc.constantFrom(0, 0, 1, 2),
  http: fc.constantFrom('', '200', '404', '429', '500', '503'),
  isHttpText: fc.boolean(),
  tier: fc.constantFrom('', 'gold', 'silver'),
  result: fc.constantFrom('', 'fraud'),
  weight: fc.constantFrom(1, 1, 2, 4),
});

const isGold = ({ tier }: Span) => tier === 'gold';
const DEFINITIONS: readonly { key: string; endpoints: readonly string[]; isValid(span: Span): boolean; isBad(span: Span): boolean }[] = [
  {
    key: 'limited',
    endpoints: ['GET /a', 'GET /b', 'GET /c'],
    isValid: () => true,
    isBad: ({ http }) => ['429', '500', '503'].includes(http),
  },
  {
    key: 'gold',
    endpoints: ['GET /a', 'GET /b'],
    isValid: isGold,
    isBad: ({ status, region, result }) => status === 2 || (region === 'eu' && result !== ''),
  },
];

interface Counted {
  readonly valid: number;
  readonly bad: number;
  readonly validWeight: number;
  readonly badWeight: number;
}

/** By service, endpoint, slot and rule, without what counted nothing. */
function countersOf(deltas: SlotDeltas, infoOf: (id: number) => SeriesInfo): Record<string, Counted> {
  const found: Record<string, Counted> = {};
  for (let row = 0; row < deltas.size; row++) {
    const info = infoOf(deltas.series[row] as number);
    const start = deltas.slowStart[row] as number;
    expect((deltas.slowStart[row + 1] as number) - start).toBe(info.thresholdsNs.length + info.rules.length * 2);
    for (const key of info.rules) {
      const at = start + ruleCounterAt(info, key);
      const [valid = 0, bad = 0] = deltas.slow.subarray(at, at + 2);
      const [validWeight = 0, badWeight = 0] = deltas.slowWeight.subarray(at, at + 2);
      if (valid > 0) found[`${info.service} ${info.endpoint} ${deltas.slot[row]} ${key}`] = { valid, bad, validWeight, badWeight };
    }
  }
  return found;
}

function recount(spans: readonly Span[]): Record<string, Counted> {
  const found: Record<string, Counted> = {};
  const sum = (list: readonly Span[]) => list.reduce((total, { weight }) => total + weight, 0);
  for (const [group, list] of Object.entries(
    Object.groupBy(spans, ({ service, endpoint, slot }) => JSON.stringify([service, endpoint, slot])),
  )) {
    const [service, endpoint, slot] = JSON.parse(group) as [string, string, number];
    if (service !== 'shop') continue;
    for (const { key, endpoints, isValid, isBad } of DEFINITIONS) {
      const valid = (list ?? []).filter(isValid);
      const bad = valid.filter(isBad);
      if (valid.length === 0 || !endpoints.includes(endpoint)) continue;
      found[`${service} ${endpoint} ${T0 / 1000 + slot} ${key}`] = {
        valid: valid.length,
        bad: bad.length,
        validWeight: sum(valid),
        badWeight: sum(bad),
      };
    }
  }
  return found;
}

describe('counters of event rules', () => {
  property.prop([fc.array(anySpan, { maxLength: 60 })])('say what a recount of the spans says, in both encodings', (spans) => {
    const request = requestOf(spans);
    for (const [encoding, bytes] of [
      ['protobuf', encodeRequest(request)],
      ['json', jsonRequest(request)],
    ] as const) {
      const { ingest } = stagesOf(OBJECTIVES);
      expect(ingest.consume(encoding, bytes, T0)).toMatchObject({ kind: 'accepted', accepted: spans.length });
      expect(countersOf(ingest.flush(), (id) => ingest.table.info(id))).toEqual(recount(spans));
    }
  });

  it('come after those of thresholds, in the order of the objectives, each rule once', () => {
    const { ingest } = stagesOf(OBJECTIVES);
    const one = (endpoint: string, service = 'shop'): Span => ({ ...A_SPAN, endpoint, service });
    ingest.consume('protobuf', encodeRequest(requestOf([one('GET /a'), one('GET /b'), one('GET /c'), one('GET /a', 'cart')])), T0);
    const counted = ingest.flush().announced.map(({ service, endpoint, thresholdsNs, rules }) => [service, endpoint, thresholdsNs, rules]);
    expect(counted).toEqual([
      ['shop', '(other)', [], ['limited']],
      ['shop', 'GET /a', [5_000_000], ['gold', 'limited']],
      ['shop', 'GET /b', [], ['limited', 'gold']],
      ['shop', 'GET /c', [], ['limited']],
      ['cart', '(other)', [], []],
      ['cart', 'GET /a', [], []],
    ]);
  });
});

const A_SPAN: Span = {
  service: 'shop',
  region: '',
  endpoint: 'GET /a',
  slot: 0,
  durationMs: 1,
  status: 0,
  http: '503',
  isHttpText: false,
  tier: 'gold',
  result: '',
  weight: 1,
};

describe('series of a service whose rules are declared differently', () => {
  const played = (stages: Stages, spans: readonly Span[]) => {
    stages.ingest.consume('protobuf', encodeRequest(requestOf(spans)), T0);
  };
  const limitedToo = { ...LIMITED, key: 'limited too', bad: [{ [STATUS]: ['429'] }] };

  it('start anew, and what waits for a flush is counted by the rules it came under', () => {
    const stages = stagesOf([events(LIMITED, null)]);
    played(stages, [A_SPAN, A_SPAN]);
    stages.reconfigure(configOf([events(limitedToo, null)]));
    played(stages, [A_SPAN, { ...A_SPAN, http: '429' }, { ...A_SPAN, http: '429' }]);
    expect(countersOf(stages.ingest.flush(), (id) => stages.ingest.table.info(id))).toEqual({
      [`shop GET /a ${T0 / 1000} limited`]: { valid: 2, bad: 2, validWeight: 2, badWeight: 2 },
      [`shop GET /a ${T0 / 1000} limited too`]: { valid: 3, bad: 2, validWeight: 3, badWeight: 2 },
    });
  });

  it('start anew when a rule changes its place, and go on when nothing changes', () => {
    const both = [events(LIMITED, null), events(GOLD, null)];
    const stages = stagesOf(both);
    const announcedBy = (objectives: readonly Objective[]) => {
      stages.reconfigure(configOf(objectives));
      played(stages, [{ ...A_SPAN, tier: 'silver' }]);
      const deltas = stages.ingest.flush();
      expect(countersOf(deltas, (id) => stages.ingest.table.info(id))).toEqual({
        [`shop GET /a ${T0 / 1000} limited`]: { valid: 1, bad: 1, validWeight: 1, badWeight: 1 },
      });
      return deltas.announced.map(({ endpoint, rules }) => [endpoint, rules]);
    };
    expect(announcedBy(both)).toHaveLength(2);
    expect(announcedBy(both)).toEqual([]);
    expect(announcedBy(both.toReversed())).toEqual([
      ['(other)', ['gold', 'limited']],
      ['GET /a', ['gold', 'limited']],
    ]);
  });
});
