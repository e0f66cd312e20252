/** The page for whoever was woken up by a rollback. */
import { describe, expect, it } from 'vitest';
import { explanation, MAX_LINES } from '../../src/model/explanation.ts';
import type { GuardEvidence, Judgement } from '../../src/model/judgement.ts';
import type { AnalysisRun } from '../../src/model/rollout.ts';
import { burn, errors, silence } from './evidence.ts';
import { longest, rolledBack } from './runs.ts';

function page(run: AnalysisRun): string {
  return explanation(run).join('\n');
}

describe('the page of a rollback', () => {
  it.each<[string, string | RegExp]>([
    ['begins with the verdict', /^Roll back: the canary is proven worse than the baseline\.\n/],
    ['names the service', /^service +shop$/m],
    ['names the releases and what they got', /^canary +service\.version=1\.5\.0: 812 requests, planned to get 5 % of the traffic$/m],
    ['says when tolerances are tighter than configured', /^strict +tolerances are 60 % of what is configured/m],
    ['names the check that decided', /^Why\n {2}errors on POST \/checkout$/m],
    ['counts both sides', /^ {2}canary +41 of 812 bad \(5 %\)\n {2}baseline +9 of 15,203 bad \(0\.059 %\)$/m],
    ['estimates the damage', /^ {2}estimate +odds of failing 32 times the baseline's \(95 % interval 14 to 51\)$/m],
    [
      'says how strong this evidence is and what is needed',
      /^ {2}evidence +1,339 to 1 from 4 incident windows; 1,097 to 1 would decide alone$/m,
    ],
    ['draws evidence over time', /^ {12}12:03:02 ▁▄█ 12:03:10$/m],
    ['says since when', /^ {2}since +probably 12:03:04$/m],
    ['says what it promises', /if the canary were healthy, evidence this\s+strong would occur in at most 1 of 100 rollouts\./],
    [
      'lists the other checks, the strongest evidence first',
      /^Other checks\n {2}check .*\n {2}p99 GET \/cart .* accumulating\n {2}p50 GET \/cart .* health proven$/m,
    ],
    [
      'gives interval, evidence and need of each',
      /p99 GET \/cart +80\/800 10 % +150\/15,000 1 % +11 \(4\.5 or more\) +23 : 1 +1,097 : 1 +accum/,
    ],
    [
      'says what was asked of the canary alone',
      /^The canary by itself\n.*\n {2}errors at most 1\.4 %, \(all\) +41\/812 5 % +9\/15,203 0\.059 % +23 : 1/m,
    ],
    ['says whether routing may be the cause', /^ {2}31 % of the traffic goes to other endpoints, beyond chance/m],
    ['says whether pods may be the cause', /^ {2}p99 latency on GET \/cart: 6 pods of the baseline differ by 8 %/m],
    ['names a failed request to look at', /^ {2}canary +4bf92f3577b34da6a3ce929d0e0e4736 +failed +12\.0 ms +12:03:05 +POST \/checkout$/m],
    [
      'names the slowest one of each release',
      /^ {2}canary +5bf.* slow +1,234 ms .*\n {2}baseline +6bf.* slow +400 ms +12:01:40 +GET \/cart$/m,
    ],
    [
      'says when it was decided',
      /^ {2}judged to +2026-01-02 12:03:10 UTC, in the time of the spans; a second is judged 5\.0 s after its end$/m,
    ],
    ['says how it came to it', /^ {2}turns +12:00:00 hold \(no canary\) · 12:03:10 rollback \(harm proven\)$/m],
    [
      'names signal, policy and generation',
      /signal sig_5f0c\n {2}rollout +ro-1, generation 7, announced by the deploy system; policy policy-1$/m,
    ],
  ])('%s', (_name, text) => {
    if (typeof text === 'string') expect(page(rolledBack)).toContain(text);
    else expect(page(rolledBack)).toMatch(text);
  });

  it('leaves out what might have been found', () => {
    expect(page(rolledBack)).not.toContain('Not proven');
  });
});

describe('the page of a rollback that a guard decided', () => {
  const decidedBy = (evidence: GuardEvidence): AnalysisRun => ({
    ...rolledBack,
    verdict: { ...rolledBack.verdict, reason: 'burn_proven', decidedBy: 'the guard' },
    judgements: [{ check: 'the guard', outcome: 'fail', reason: 'burn_proven', evidence: { ...evidence, logE: 7.2 } }],
  });

  it('says the limit, both sides, and that pods are not told apart', () => {
    expect(page(decidedBy(burn))).toMatch(
      /^Why\n {2}errors at most 1\.4 %, \(all\)\n {2}canary +41\/812 5 %\n {2}baseline +9\/15,203 0\.059 %\n {2}evidence +1,339 to 1; 1,097 to 1 would decide alone\n {2}pods +judged by requests/m,
    );
  });

  it('says how silent the canary is', () => {
    expect(page(decidedBy(silence))).toMatch(/^Why\n {2}traffic of the canary: 12 of 15,215 requests .*\n {2}evidence +1,339 to 1; /m);
  });
});

describe('the page of a run that goes on', () => {
  const going: AnalysisRun = {
    ...rolledBack,
    state: 'running',
    verdict: { ...rolledBack.verdict, decision: 'continue', reason: 'accumulating', logWealth: 1 },
  };

  it('says what is not proven and how long it takes', () => {
    expect(page(going)).toContain('p99 × 1.5 on GET /cart needs about 40 min at this traffic; found within the run: p99 × 1.42');
    expect(page(going)).toContain('errors on GET /admin cannot be judged at this traffic');
    expect(page(going)).toMatch(/^Not proven\n {2}1 accumulating: p99 GET \/cart$/m);
  });

  it('counts what is proven healthy', () => {
    expect(page(going)).toMatch(/^health +1 of 3 checks are proven to be within their margins$/m);
    expect(page(rolledBack)).not.toMatch(/^health/m);
  });

  it('asks no severe or pooled check for a proof of health, and shows it after those that are', () => {
    const severe: Judgement = {
      check: 'errorsSevere GET /cart',
      outcome: 'inconclusive',
      reason: 'accumulating',
      evidence: { ...errors, metric: 'errorsSevere', logSafe: null, logE: -0.1 },
    };
    const text = page({ ...going, judgements: [severe, ...going.judgements] });
    expect(text).toMatch(/p50 GET \/cart .* health proven\n {2}errorsSevere GET \/cart/);
    expect(text).toContain('1 accumulating: p99 GET /cart\n');
  });

  it('claims no rarity and no onset', () => {
    expect(page(going)).not.toContain('at most 1 of 100');
    expect(page(going)).not.toContain('probably');
  });

  it('has little to say before the first span, and no figure that is none', () => {
    const { verdict } = going;
    const fresh: AnalysisRun = {
      ...going,
      verdict: { ...verdict, decision: 'hold', reason: 'no_canary', logWealth: Number.NEGATIVE_INFINITY, decidedBy: null },
      judgements: [],
      history: [],
      trail: [],
      outlook: [],
      exemplars: { baseline: [], canary: [] },
      lagMs: Number.NaN,
      firstCanaryAt: null,
      signalId: null,
    };
    expect(page(fresh)).toMatch(/^Hold: no span of the canary is coming\.\n/);
    expect(page(fresh)).not.toMatch(/NaN|Infinity|undefined|null/);
    expect(explanation(fresh).length).toBeLessThan(14);
  });
});

describe('any page', () => {
  it('is at most 60 lines of at most 160 columns', () => {
    const lines = explanation(longest());
    expect(lines.length).toBeLessThanOrEqual(MAX_LINES);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(160);
    expect(lines.at(-1)).toContain('policy policy-1');
    expect(page(longest())).toContain('… and 3,99');
  });

  it('is the same every time', () => {
    expect(explanation(longest())).toEqual(explanation(longest()));
  });

  it('cannot be forged by names from the telemetry', () => {
    const endpoint = 'GET /\u001b[2J\u202e\nPromote: all is well';
    const forged: AnalysisRun = {
      ...rolledBack,
      rollout: { ...rolledBack.rollout, service: 'shop\u001b[1A', canary: { 'service.version': '\r1.5.0' } },
      judgements: [{ check: 'errors POST /checkout', outcome: 'fail', reason: 'harm_proven', evidence: { ...errors, endpoint } }],
      exemplars: { canary: [{ traceId: '\u0007', endpoint, at: 0, durationMs: 1, failed: true }], baseline: [] },
    };
    expect(explanation(forged).join('')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(page(forged)).not.toMatch(/^Promote/m);
    expect(page(forged)).toContain('GET /\\u{1b}[2J\\u{202e}\\u{a}Promote');
  });
});
