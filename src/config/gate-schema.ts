/** What a deploy of a service needs, as a file says it. */
import { z } from 'zod';
import type { GateAnswer, GatePolicy } from '../model/objective.ts';
import { duration, optional, scalar } from './fields.ts';
import { USUAL_GATE } from './gate-policy.ts';
import { Complaint, PERCENT_PATTERN, parseDurationNs, parsePercent, ratioOfPercent } from './quantity.ts';

const ANSWERS = ['allow', 'warn', 'refuse'] as const satisfies readonly GateAnswer[];
const GATE_DEFAULTS = { warnBelow: '25%', refuseBelow: '0%', warnIncidentAbove: '20%' } as const;
const NONE = 'none';

const remaining = scalar({ type: 'string', pattern: '^-?[0-9]+(\\.[0-9]+)?%$', examples: ['25%'] }, (value) => {
  const text = String(value).trim();
  const isNegative = typeof value === 'string' && text.startsWith('-');
  const digits = parsePercent(isNegative ? text.slice(1) : value, '25%');
  if (digits instanceof Complaint) return digits;
  const ratio = ratioOfPercent(digits);
  if (ratio > 1) return new Complaint('out of range', '-100% to 100%');
  return isNegative ? -ratio : ratio;
});

const incident = scalar({ anyOf: [{ type: 'string', pattern: PERCENT_PATTERN }, { const: NONE }] }, (value): number | null | Complaint => {
  if (value === NONE) return null;
  const digits = parsePercent(value, '20%');
  if (digits instanceof Complaint) return new Complaint(digits.message, `${digits.expected}, or \`${NONE}\``, digits.suggestion);
  return ratioOfPercent(digits) > 0
    ? ratioOfPercent(digits)
    : new Complaint('every incident is larger', `a share such as 20%, or \`${NONE}\``);
});

const ageMs = duration({ min: '1m', max: '365d', usual: 'd' });
const loadTest = scalar({ anyOf: [{ type: 'string' }, { const: NONE }], examples: ['7d'] }, (value): number | null | Complaint => {
  if (value === NONE) return null;
  const ns = parseDurationNs(value, 'd');
  if (ns instanceof Complaint) return new Complaint(ns.message, `${ns.expected}, or \`${NONE}\``, ns.suggestion);
  const checked = ageMs.safeParse(value);
  return checked.success ? checked.data : new Complaint('out of range', `1m to 365d, or \`${NONE}\``);
});

export const gateSchema = z
  .strictObject({
    warnBelow: optional(
      remaining,
      GATE_DEFAULTS.warnBelow,
      'What must be left of the tightest error budget for a deploy without warning. -100% never warns of it.',
    ),
    refuseBelow: optional(
      remaining,
      GATE_DEFAULTS.refuseBelow,
      'What must be left of the tightest error budget for a deploy at all. -100% refuses at twice the budget only. At most `warnBelow`.',
    ),
    onBurn: optional(z.enum(ANSWERS), USUAL_GATE.onBurn, 'While an alert that pages fires. `allow`: not asked.'),
    onCanary: optional(
      z.enum(ANSWERS),
      USUAL_GATE.onCanary,
      'While another rollout of the service is judged, or cools down after a rollback. `allow`: not asked.',
    ),
    onTrend: optional(z.enum(ANSWERS), USUAL_GATE.onTrend, 'While one of the `trends` is too steep. `allow`: not asked.'),
    warnIncidentAbove: optional(
      incident,
      GATE_DEFAULTS.warnIncidentAbove,
      'Share of a budget from which a single incident within the window is warned of; `none`: not asked. SRE Workbook: beyond 20 % it needs a post-mortem.',
    ),
    loadTestMaxAge: optional(
      loadTest,
      NONE,
      'A comparison of load tests must be there that is not older; `none`: only one that failed counts. Use 7d where every release is load-tested.',
    ),
  })
  .optional()
  .describe('What `slipstream gate` asks before a deploy. Every option left out is taken from `Defaults`.');

export type GateSection = NonNullable<z.output<typeof gateSchema>>;

/** The first layer that has a value wins, then the usual one. */
export function gatePolicy(layers: readonly (GateSection | undefined)[]): GatePolicy {
  const first = <K extends keyof GateSection>(option: K): Exclude<GateSection[K], undefined> | undefined => {
    const layer = layers.find((section) => section?.[option] !== undefined);
    return layer?.[option] as Exclude<GateSection[K], undefined> | undefined;
  };
  const orUsual = (value: number | null | undefined, usual: number | null): number | null => (value === undefined ? usual : value);
  return {
    warnBelow: first('warnBelow') ?? USUAL_GATE.warnBelow,
    refuseBelow: first('refuseBelow') ?? USUAL_GATE.refuseBelow,
    onBurn: first('onBurn') ?? USUAL_GATE.onBurn,
    onCanary: first('onCanary') ?? USUAL_GATE.onCanary,
    onTrend: first('onTrend') ?? USUAL_GATE.onTrend,
    warnIncidentAbove: orUsual(first('warnIncidentAbove'), USUAL_GATE.warnIncidentAbove),
    loadTestMaxAgeMs: orUsual(first('loadTestMaxAge'), USUAL_GATE.loadTestMaxAgeMs),
  };
}
