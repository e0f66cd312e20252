/** From what files say about judging canaries to the policy in force: layers, criteria, budgets. */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { canaryPolicy } from '../../src/config/canary-policy.ts';
import { type CanarySection, canarySchema } from '../../src/config/canary-schema.ts';
import { policyContradictions, unreachedEndpoints } from '../../src/config/policy-contradictions.ts';

const section = (text: string): CanarySection => canarySchema.parse(parse(text) ?? {});
/** Of a service over an organisation, both as YAML. */
const policy = (service: string, organisation = '', errorBudget?: number) =>
  canaryPolicy([section(service), section(organisation)], [], errorBudget);
const USUAL = { weight: 1, isCritical: false, isMuted: false };

describe('criteria against the baseline', () => {
  it.each([
    ['p50 <= +7%', { latency: { p50: { ratio: 0.07, addUs: 2000, passRatio: 0.25 } } }],
    ['p99 <= +10%', { latency: { p99: { ratio: 0.1, addUs: 5000, passRatio: 0.5 } } }],
    ['errors <= +0.1pp', { errors: { addRatio: 0.001, oddsRatio: 1.1, passAddRatio: 0.005 } }],
    ['errors <= +10%', { errors: { addRatio: 0.0005, oddsRatio: 1.1 } }],
    ['errors <= +50%', { errors: { addRatio: 0.0005, oddsRatio: 1.5 } }],
  ])('set what is tolerated: %s', (criterion, expected) => {
    expect(policy(`criteria: [${criterion}]`)).toMatchObject({ ...expected, criteria: [] });
  });

  it('mean the same as tolerances, down to the identity of the policy', () => {
    expect(policy('criteria: [p95 <= +20%, errors <= +0.2pp]').id).toBe(
      policy('tolerances: { p95: { harm: +20% }, errors: { harm: +0.2pp } }').id,
    );
  });

  it('of a service go before tolerances of the organisation, and the other way round', () => {
    expect(policy('criteria: [p95 <= +20%]', 'tolerances: { p95: { harm: +12%, orAtLeast: 9ms } }').latency.p95).toMatchObject({
      ratio: 0.2,
      addUs: 9000,
    });
    expect(policy('tolerances: { p95: { harm: +12% } }', 'criteria: [p95 <= +20%]').latency.p95.ratio).toBe(0.12);
    expect(policy('', 'criteria: [p95 <= +20%]').latency.p95.ratio).toBe(0.2);
  });
});

describe('limits of the canary alone', () => {
  const limit = (text: string, endpoint: string | null, limitRatio: number, edgeUs: number | null) => ({
    text,
    endpoint,
    limitRatio,
    edgeUs,
  });

  it('are taken as they are written', () => {
    expect(policy('criteria: [p95 < 500ms, errors < 1%, { match: POST /checkout, criterion: p95 < 300ms }]').criteria).toEqual([
      limit('p95 < 500ms', null, 0.05, 500_000),
      limit('errors < 1%', null, 0.01, null),
      limit('p95 < 300ms', 'POST /checkout', 0.05, 300_000),
    ]);
  });

  it('of an organisation stay unless the service says another one about the same thing', () => {
    const organisation = 'criteria: [p95 < 500ms, errors < 1%, { match: GET /a, criterion: errors < 2% }]';
    const texts = (service: string) => policy(service, organisation).criteria.map(({ text, endpoint }) => [text, endpoint]);
    expect(texts('criteria: [errors < 3%, p99 < 1s]')).toEqual([
      ['errors < 3%', null],
      ['p99 < 1s', null],
      ['p95 < 500ms', null],
      ['errors < 2%', 'GET /a'],
    ]);
    expect(texts('criteria: []')).toHaveLength(3);
  });
});

describe('margins for health', () => {
  it('that nobody wrote are at least twice what is tolerated', () => {
    expect(policy('tolerances: { p95: { harm: +14%, orAtLeast: 20ms } }').latency.p95).toEqual({
      ratio: 0.14,
      addUs: 20_000,
      passRatio: 0.3,
      passAddUs: 40_000,
    });
    expect(policy('criteria: [p95 <= +50%, errors <= +2pp]')).toMatchObject({
      latency: { p95: { ratio: 0.5, passRatio: 1 } },
      errors: { addRatio: 0.02, passAddRatio: 0.04 },
    });
  });

  it('that somebody wrote are kept, and refused where they contradict', () => {
    const organisation = 'tolerances: { p95: { healthy: +40% } }';
    expect(policy('criteria: [p95 <= +35%]', organisation).latency.p95.passRatio).toBe(0.4);
    const found = policyContradictions(section('criteria: [p95 <= +45%]'), policy('criteria: [p95 <= +45%]', organisation));
    expect(found.map(({ path }) => path.join('.'))).toEqual(['tolerances.p95.healthy']);
  });
});

describe('checks and endpoints', () => {
  it('are merged option by option, endpoints of the service first', () => {
    const merged = policy(
      'checks: { p99: { critical: true } }\nendpoints: [{ match: POST /pay, weight: 3 }]',
      'checks: { p99: { weight: 2 }, p50: { muted: true } }\nendpoints: [{ match: "POST /**", critical: true }, { match: GET /internal/**, muted: true }]',
    );
    expect(merged.checks).toEqual({
      p50: { ...USUAL, isMuted: true },
      p95: USUAL,
      p99: { weight: 2, isCritical: true, isMuted: false },
      errors: USUAL,
    });
    expect(merged.endpoints).toEqual([
      { ...USUAL, endpoint: 'POST /pay', weight: 3 },
      { ...USUAL, endpoint: 'POST /**', isCritical: true },
      { ...USUAL, endpoint: 'GET /internal/**', isMuted: true },
    ]);
  });

  it.each([
    ['checks: { p99: { muted: true } }', 'checks: { p99: { critical: true } }', 'checks.p99'],
    ['checks: { errors: { muted: true } }', 'checks: { p50: { muted: true }, p95: { muted: true }, p99: { muted: true } }', 'checks'],
    ['endpoints: [{ match: GET /a, muted: true }]', 'endpoints: [{ match: "**", muted: true }]', 'endpoints'],
    ['criteria: [errors < 1%, { match: GET /a/*, criterion: errors < 1% }]', 'endpoints: [{ match: GET /**, muted: true }]', 'criteria.1'],
    ['bake: 1m', 'incidentWindow: 40s', 'bake'],
    ['onSilence: rollback', 'baseline: previous', 'onSilence'],
  ])('that two documents make impossible together are refused: %s over %s', (service, organisation, path) => {
    const found = policyContradictions(section(service), policy(service, organisation));
    expect(found.map((contradiction) => contradiction.path.join('.'))).toEqual([path]);
  });

  it('may be limited where a more general entry mutes', () => {
    const text =
      'endpoints: [{ match: GET /a, weight: 2 }, { match: GET /**, muted: true }]\ncriteria: [{ match: GET /a, criterion: errors < 1% }]';
    expect(policyContradictions(section(text), policy(text))).toEqual([]);
  });

  it('may all be muted but those that are named', () => {
    const text = 'endpoints: [{ match: POST /pay, critical: true }, { match: "**", muted: true }]';
    expect(policyContradictions(section(text), policy(text))).toEqual([]);
  });

  it.each([
    ['GET /a', 'GET /a', true],
    ['GET /**', 'GET /a/*', true],
    ['**', 'GET /**', true],
    ['GET /*', 'GET /a', true],
    ['GET /*', 'GET /a/b', false],
    ['GET /*', 'GET /**', false],
    ['GET /a', 'GET /*', false],
    ['GET /a*', 'GET /*b', false],
  ])('are warned of where they are never reached: %s before %s', (first, second, isUnreached) => {
    const found = unreachedEndpoints(section(`endpoints: [{ match: "${first}", weight: 2 }, { match: "${second}", weight: 3 }]`));
    expect(found.map(({ path }) => path.join('.'))).toEqual(isUnreached ? ['endpoints.1.match'] : []);
  });
});

describe('the burn rate', () => {
  it.each([
    ['', undefined, 0.0144],
    ['', 0.01, 0.144],
    ['maxBurnRate: 6', 0.005, 0.03],
    ['maxBurnRate: 100', 0.05, 0.5],
    ['maxBurnRate: 0', 0.05, null],
    ['checks: { errors: { muted: true } }', 0.01, null],
  ])('times the error budget is what the canary may fail: %s, budget %s', (text, budget, expected) => {
    expect(policy(text, '', budget).maxErrorRatio).toBe(expected);
  });
});

describe('the baseline', () => {
  it.each([
    ['', { kind: 'concurrent' }],
    ['baseline: concurrent', { kind: 'concurrent' }],
    ['baseline: previous', { kind: 'previous', shiftMs: 0 }],
  ])('is %s', (text, expected) => {
    expect(policy(text).baseline).toEqual(expected);
  });

  it.each(['baseline: { previous: 7d }', 'baseline: { next: 1d }', 'baseline: [previous]', 'baseline: 7d'])('is refused: %s', (text) => {
    expect(canarySchema.safeParse(parse(text)).success).toBe(false);
  });
});
