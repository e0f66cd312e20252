/** Every shape of the specification's examples, written anew, and each mistake: what strict and lenient say of it, where, and why. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isOpenSlo, openSloObjects } from '../../../src/config/openslo/objects.ts';
import type { OpenSloMode } from '../../../src/config/openslo/schema.ts';
import type { Problem } from '../../../src/config/problem.ts';
import { readYaml } from '../../../src/config/yaml-source.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/openslo');

function judged(file: string, mode: OpenSloMode) {
  return openSloObjects(readYaml(file, readFileSync(join(FOLDER, file), 'utf8')).documents, mode);
}

/** `line path: beginning of the message` */
function lines(problems: readonly Problem[]): string[] {
  return problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

const FINE: readonly [file: string, objects: number, why: string][] = [
  ['occurrences-ratio.yaml', 1, 'a ratio without operator'],
  ['ratio-timeslices.yaml', 1, 'the mean over slices asks for their length, and for no target of a slice'],
  ['composite.yaml', 1, 'an indicator on every objective, with weights'],
  ['policy-with-inline-condition.yaml', 1, 'condition and target stand in the policy'],
  ['policy-with-refs.yaml', 3, 'several documents that name each other'],
  ['service.yaml', 1, 'labels of one or several values'],
  ['data-source.yaml', 1, 'connection details may be a list'],
  ['indicators.yaml', 4, 'a list of objects in one document'],
  ['null-policies.yaml', 1, 'a null is as if it was not there'],
  ['json.json', 2, 'JSON is YAML'],
];

/** What strict refuses and lenient takes, saying so. */
const FORGIVEN: readonly [file: string, strict: readonly string[], lenient: readonly string[]][] = [
  [
    'ratio-timeslices-with-op.yaml',
    ['15 spec.objectives[0].op: SLO `landing-page`: `gt`: `op` is forbidden beside a ratioMetric'],
    ['15 spec.objectives[0].op: SLO `landing-page`: `op` beside a ratioMetric means nothing and is left out'],
  ],
  [
    'timeslices-minute-for-month.yaml',
    ['20 spec.objectives[0].op: SLO `landing-page-minutes`: `gt`: `op` is forbidden'],
    [
      '20 spec.objectives[0].op: SLO `landing-page-minutes`: `op` beside a ratioMetric',
      '14 spec.timeWindow[0].duration: SLO `landing-page-minutes`: a calendar window of one minute: `m` is a minute, `M` a month',
    ],
  ],
  [
    'low-traffic-timeslices.yaml',
    ['18 spec.objectives[0].op: SLO `portal-up`: `gt`: `op` is forbidden'],
    ['18 spec.objectives[0].op: SLO `portal-up`: `op` beside a ratioMetric'],
  ],
  [
    'list-of-slos-with-op.yaml',
    ['18 [0].spec.objectives[0].op: SLO `search-answers`: `gt`: `op` is forbidden'],
    ['18 [0].spec.objectives[0].op: SLO `search-answers`: `op` beside a ratioMetric'],
  ],
  [
    'without-method-and-window.yaml',
    [
      '6 spec.budgetingMethod: SLO `short-one`: `budgetingMethod` is missing',
      '6 spec.timeWindow: SLO `short-one`: `timeWindow` is missing',
    ],
    [
      '6 spec.budgetingMethod: SLO `short-one`: `budgetingMethod` is missing; `Occurrences` is taken',
      '6 spec.timeWindow: SLO `short-one`: `timeWindow` is missing; the usual window',
    ],
  ],
  [
    'slice-as-number.yaml',
    ['10 spec.objectives[0].timeSliceWindow: SLO `slices`: `5` has the wrong type'],
    ['10 spec.objectives[0].timeSliceWindow: SLO `slices`: `5` is read as minutes'],
  ],
  [
    'rolling-left-out.yaml',
    ['8 spec.timeWindow[0]: SLO `window`: a window that does not roll needs a `calendar`'],
    ['8 spec.timeWindow[0]: SLO `window`: `isRolling` is missing'],
  ],
  [
    'operator-style.yaml',
    [
      '2 apiVersion: Datasource `metrics`: `openslo.com/v1` is not known here',
      '7 apiVersion: SLO `texts`: `openslo.com/v1` is not known here',
    ],
    [
      '2 apiVersion: Datasource `metrics`: `openslo.com/v1` is read as `openslo/v1`',
      '3 kind: Datasource `metrics`: `Datasource` is read as `DataSource`',
      '7 apiVersion: SLO `texts`: `openslo.com/v1` is read as `openslo/v1`',
      '15 spec.objectives[0].target: SLO `texts`: the text `0.99` is read as a number',
    ],
  ],
  [
    'names-in-capitals.yaml',
    ['4 metadata.name: AlertNotificationTarget `DeskOfTheTeam`: `DeskOfTheTeam` has the wrong form'],
    ['4 metadata.name: AlertNotificationTarget `DeskOfTheTeam`: the SDK refuses the name'],
  ],
];

/** What both refuse. */
const REFUSED: readonly [file: string, problems: readonly string[]][] = [
  ['composite-and-plain.yaml', ['6 spec: SLO `both`: indicators stand on `spec` and on objectives']],
  ['threshold-without-value.yaml', ['10 spec.objectives[0].value: SLO `quick`: `value` is missing']],
  ['hundred-percent.yaml', ['10 spec.objectives[0].targetPercent: SLO `perfect`: `100`: out of range']],
  ['rolling-with-calendar.yaml', ['8 spec.timeWindow[0].calendar: SLO `undecided`: a rolling window has no `calendar`']],
  [
    'bad-calendar.yaml',
    [
      '8 spec.timeWindow[0].calendar.startTime: SLO `calendar`: `2026-02-30 00:00:00`: no such time',
      '8 spec.timeWindow[0].calendar.timeZone: SLO `calendar`: `Lisboa`: no such time zone',
    ],
  ],
  ['slices-without-target.yaml', ['10 spec.objectives[0].timeSliceTarget: SLO `slices`: `timeSliceTarget` is missing']],
  ['policy-with-two-conditions.yaml', ['6 spec.conditions: AlertPolicy `two`: a list is too large']],
  ['policy-without-target.yaml', ['5 spec.notificationTargets: AlertPolicy `unheard`: `notificationTargets` is missing']],
  ['policy-with-half-a-condition.yaml', ['6 spec.conditions[0]: AlertPolicy `half`: neither `conditionRef` nor a whole AlertCondition']],
  ['data-source-without-connection.yaml', ['5 spec.connectionDetails: DataSource `spans`: `connectionDetails` is missing']],
  ['indicator-good-and-bad.yaml', ['7 spec.ratioMetric: SLI `confused`: `good` and `bad` are both there']],
  ['indicator-raw-without-type.yaml', ['5 spec.ratioMetric.rawType: SLI `ratio`: `rawType` is missing']],
  ['indicator-empty-spec.yaml', ['5 spec.thresholdMetric.metricSource.spec: SLI `nothing`: `spec` is empty']],
  ['unknown-field.yaml', ['4 metadata.markdown: Service `shop`: there is no such option here']],
  ['annotation-without-prefix.yaml', ['3 metadata.annotations.owner: Service `shop`: this name cannot be used: a prefix and a name']],
  ['next-version.yaml', ['2 apiVersion: SLI `next`: `openslo.com/v2alpha` is not supported']],
  ['unknown-kind.yaml', ['2 kind: Objective `what`: `Objective` is not known here']],
];

describe('an OpenSLO file', () => {
  it.each(FINE)('%s is fine in both modes: %3$s', (file, objects) => {
    for (const mode of ['strict', 'lenient'] as const) {
      const { problems, warnings, objects: found } = judged(file, mode);
      expect(lines([...problems, ...warnings])).toEqual([]);
      expect(found).toHaveLength(objects);
    }
  });

  it.each(FORGIVEN)('%s is refused by strict, and lenient says what it forgives', (file, strict, lenient) => {
    const severe = judged(file, 'strict');
    expect(lines(severe.problems)).toEqual(strict.map((line) => expect.stringContaining(line)));
    const mild = judged(file, 'lenient');
    expect(mild.problems).toEqual([]);
    expect(lines(mild.warnings)).toEqual(lenient.map((line) => expect.stringContaining(line)));
  });

  it.each(REFUSED)('%s is refused by both', (file, expected) => {
    for (const mode of ['strict', 'lenient'] as const) {
      const { problems, warnings, objects } = judged(file, mode);
      expect(lines(problems)).toEqual(expected.map((line) => expect.stringContaining(line)));
      expect(lines(warnings)).toEqual([]);
      expect(objects).toEqual([]);
    }
  });

  it('that alerts when the burn is low is valid, and doubted in both modes, never turned round', () => {
    for (const mode of ['strict', 'lenient'] as const) {
      const { problems, warnings, objects } = judged('condition-when-low.yaml', mode);
      expect(problems).toEqual([]);
      expect(warnings).toMatchObject([{ line: 7, path: 'spec.condition.op', suggestion: 'gte' }]);
      expect(objects).toMatchObject([{ value: { spec: { condition: { op: 'lte' } } } }]);
    }
  });

  it('has its start of a calendar as text, without a time zone that nobody wrote', () => {
    const [slo] = judged('null-policies.yaml', 'strict').objects;
    expect(slo).toMatchObject({ value: { spec: { timeWindow: [{ calendar: { startTime: '2026-01-01 00:00:00' } }] } } });
  });

  it('tells of every finding where it is, of which object, and what is expected', () => {
    const problems = readdirSync(FOLDER)
      .filter((file) => /\.(yaml|json)$/.test(file))
      .flatMap((file) => {
        const { problems, warnings } = judged(file, 'strict');
        return [...problems, ...warnings];
      });
    expect(problems.length).toBeGreaterThan(25);
    for (const problem of problems) {
      expect(problem.line).toBeGreaterThan(0);
      expect(problem.message).toMatch(/^[A-Za-z]+ `[A-Za-z-]+`: /);
      if (!/this name cannot|is missing$/.test(problem.message)) expect(problem.expected).toBeDefined();
    }
  });

  it('is known by its version, alone or in a list', () => {
    expect(isOpenSlo({ apiVersion: 'openslo/v1' })).toBe(true);
    expect(isOpenSlo({ apiVersion: 'openslo.com/v2alpha' })).toBe(true);
    expect(isOpenSlo([{ apiVersion: 'openslo/v1' }])).toBe(true);
    expect(isOpenSlo({ apiVersion: 'slipstream.dev/v1' })).toBe(false);
    expect(isOpenSlo('openslo/v1')).toBe(false);
    expect(isOpenSlo(null)).toBe(false);
  });
});
