/** What a selector of a gauge gives: objectives as they stand at a moment. */
import { GAUGE_METRICS, type GaugeName } from '../../model/metric-table.ts';
import type { EpochMs } from '../../model/time.ts';
import { isAnything, testOf } from './match-labels.ts';
import type { GaugeValue } from './metric-source.ts';
import { QueryError } from './query-error.ts';
import type { Selector } from './query-tree.ts';
import { LabelSet, type Sample, sample } from './sample.ts';

/** `gauges` gives all of them at a moment. Throws a QueryError for a label that the gauge does not have. */
export function gaugeVector(
  name: GaugeName,
  { matchers, offsetMs }: Selector,
  query: string,
  gauges: (at: EpochMs) => readonly GaugeValue[],
): (t: EpochMs) => Sample[] {
  const known: readonly string[] = GAUGE_METRICS[name].labels;
  const asked = matchers.filter((matcher) => !isAnything(matcher));
  const wrong = asked.find(({ label }) => !known.includes(label));
  if (wrong !== undefined) throw new QueryError('execution', `${name} has no label ${wrong.label}; its labels are ${known.join(', ')}`);
  const tests = asked.map((matcher) => [matcher.label, testOf(matcher, query)] as const);
  const sets = new Map<string, LabelSet>();
  const labelsOf = (labels: GaugeValue['labels']): LabelSet => {
    const set = new LabelSet(new Map([['__name__', name], ...Object.entries(labels)]));
    const same = sets.get(set.key) ?? set;
    sets.set(set.key, same);
    return same;
  };
  return (t) =>
    gauges(t - offsetMs)
      .filter((one) => one.name === name && tests.every(([label, test]) => test(one.labels[label] ?? '')))
      .map(({ labels, value }) => sample(labelsOf(labels), value));
}
