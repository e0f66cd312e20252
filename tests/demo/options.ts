/** The demo's command line. */
import { parseArgs } from 'node:util';
import { SCENARIO_NAMES, type ScenarioName } from './scenarios.ts';

export interface DemoOptions {
  readonly scenario: ScenarioName;
  /** Length of the story at most. */
  readonly seconds: number;
  /** Where the received spans are kept for replay; null: nowhere. */
  readonly record: string | null;
  /** Spans go through a real Kafka broker, and two processes share the work. */
  readonly isOnKafka: boolean;
}

export const USAGE = `usage: npm run demo -- [--scenario ${SCENARIO_NAMES.join('|')}] [--seconds N] [--record FILE | --kafka]

A small shop rolls out a release of its checkout service; Slipstream reads the spans of both releases and judges.

  --scenario NAME  what becomes of the canary (default: both)
  --seconds N      length of the story at most, 25 to 600 (default: 45)
  --record FILE    keep the received spans (FILE), the rollout (FILE.rollouts.jsonl) and the configuration for "slipstream replay"
  --kafka          spans go through a real Kafka broker (needs Java) to one process that counts and one that judges

examples:
  npm run demo -- --scenario healthy
  npm run demo -- --scenario both --record /tmp/demo.jsonl
  npm run demo -- --kafka

Exit code: 0 the story ended as it should, 1 it did not, 2 wrong usage.
`;

export type Parsed =
  | { readonly kind: 'run'; readonly options: DemoOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly why: string };

export function parseOptions(argv: readonly string[]): Parsed {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        scenario: { type: 'string' },
        seconds: { type: 'string' },
        record: { type: 'string' },
        kafka: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) return { kind: 'help' };
    const scenario = SCENARIO_NAMES.find((name) => name === (values.scenario ?? 'both'));
    if (scenario === undefined)
      return { kind: 'wrong', why: `--scenario must be one of ${SCENARIO_NAMES.join(', ')}, not "${values.scenario}"` };
    const seconds = Number(values.seconds ?? 45);
    if (!(seconds >= 25 && seconds <= 600)) return { kind: 'wrong', why: `--seconds must be 25 to 600, not "${values.seconds}"` };
    if (values.record === '') return { kind: 'wrong', why: '--record needs a file name' };
    if (values.record !== undefined && values.kafka)
      return { kind: 'wrong', why: '--record keeps what one process receives: not with --kafka' };
    return { kind: 'run', options: { scenario, seconds, record: values.record ?? null, isOnKafka: values.kafka ?? false } };
  } catch (error) {
    return { kind: 'wrong', why: error instanceof Error ? error.message : String(error) };
  }
}
