/** Both stages as a test needs them that is about neither configuration nor restarts: nothing is declared. */
import { Stages } from '../../src/service/stages.ts';
import { policies } from './policies.ts';
import { TEST_SPAN_RULES } from './span-rules.ts';

export function testStages(): Stages {
  return new Stages({
    config: {
      histogram: { digits: 2, highestUs: 60_000_000 },
      series: { maxTotal: 1000, maxReleasesPerService: 10 },
      spans: TEST_SPAN_RULES,
      policies: policies({}),
    },
    source: 'test',
    epoch: '1',
    hashSeed: 1,
  });
}
