/** Stage A as the benchmarks run it: default rules and layout, quotas of a large installation. */
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { Stages } from '../../src/service/stages.ts';
import { policies } from '../support/policies.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';

export function benchStages(): Stages {
  const { digits, highestUs } = new HistogramLayout();
  return new Stages({
    config: {
      histogram: { digits, highestUs },
      series: { maxTotal: 100_000, maxReleasesPerService: 50 },
      spans: TEST_SPAN_RULES,
      policies: policies({ maxSeries: 10_000 }),
    },
    source: 'bench',
    epoch: '1',
    hashSeed: 1,
  });
}
