/** The deploy gate: may a new release of a service go out now? Facts in; one answer and all its reasons out. */
import type { GateFinding, GateView } from '../model/gate-view.ts';
import type { GateFacts } from './gate-facts.ts';
import { gateFindings } from './gate-findings.ts';
import { overrideText } from './gate-text.ts';

type Answer = GateView['answer'];

/** What is known to be wrong comes before what is not known. */
const SEVERITY: Readonly<Record<Answer, number>> = { allow: 0, warn: 1, unknown: 2, refuse: 3 };

/**
 * The worst finding is the answer: refuse, else unknown, else warn, else allow. No finding at all allows. An override in force turns refuse and
 * unknown into warn and says so in a finding of its own; what it overrides stays in the list. An answer that needs no override is as it is. Findings
 * are ordered from the worst to the best, the override first.
 */
export function gate(facts: GateFacts): { readonly answer: Answer; readonly findings: readonly GateFinding[] } {
  const findings = gateFindings(facts).toSorted((a, b) => SEVERITY[b.answer] - SEVERITY[a.answer]);
  const answer = findings[0]?.answer ?? 'allow';
  if (facts.override === null || SEVERITY[answer] <= SEVERITY.warn) return { answer, findings };
  const overridden: GateFinding = { reason: 'overridden', answer: 'warn', subject: null, text: overrideText(facts.override) };
  return { answer: 'warn', findings: [overridden, ...findings] };
}
