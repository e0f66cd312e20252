/** The end of the story in words: how fast, how many spans, why, the signal itself, and what to try next. */
import type { Tone } from '../../src/cli/terminal-text.ts';
import { SCENARIO_NAMES, SCENARIOS, type Scenario } from './scenarios.ts';
import type { StoryEnd } from './story.ts';

export interface SummaryInput {
  readonly scenario: Scenario;
  readonly end: StoryEnd;
  readonly judged: { readonly isRight: boolean; readonly text: string };
  /** The command that judges the recording again; null when nothing was recorded. */
  readonly replay: string | null;
  readonly paint: (text: string, tone: Tone) => string;
}

export function summary({ scenario, end, judged, replay, paint }: SummaryInput): string {
  const lines: string[] = [''];
  const line = (label: string, text: string): void => void lines.push(`  ${paint(label.padEnd(16), 'dim')}${text}`);
  if (end.firstBadAtMs !== null) line('first bad span', `${clockText(end.firstBadAtMs)}  ${end.firstBadEndpoint} in checkout 1.5.0`);
  if (end.signal !== null) {
    line('signal', `${clockText(end.signal.receivedAtMs)}  ${end.signal.signal.action}, received and verified by the deploy system`);
  }
  if (end.firstBadAtMs !== null && end.signalAtMs !== null) {
    line('reaction', paint(`${((end.signalAtMs - end.firstBadAtMs) / 1000).toFixed(1)} s from the first bad span to the signal`, 'strong'));
    line('spans', `${end.spansUntilSignal.toLocaleString('en')} sent by the shop in that time`);
  }
  if (end.run !== null) {
    line('verdict', `${end.run.verdict.decision} at event time ${new Date(end.run.verdict.at).toISOString()}`);
    lines.push('', paint('  Why, as `slipstream explain` tells the engineer on call:', 'dim'), '', indented(end.run.explanation.page));
  }
  if (end.signal !== null) {
    lines.push('', paint('  The signal, as signed:', 'dim'), indented(JSON.stringify(JSON.parse(end.signal.body), null, 2)));
  }
  lines.push(
    '',
    `${paint(judged.isRight ? 'As it should be' : 'Not as it should be', judged.isRight ? 'good' : 'bad')}: ${judged.text}.`,
    '',
  );
  lines.push(paint('Try next', 'strong'));
  if (replay !== null)
    lines.push(`  ${replay}`, paint('    the same spans again, without waiting: the same verdict at the same event time', 'dim'));
  else
    lines.push(
      `  npm run demo -- --scenario ${scenario.name} --record /tmp/demo.jsonl`,
      paint('    the same story, kept for "slipstream replay"', 'dim'),
    );
  const others = SCENARIO_NAMES.filter((name) => name !== scenario.name);
  for (const name of others) lines.push(`  npm run demo -- --scenario ${name.padEnd(8)}  ${paint(SCENARIOS[name].plot, 'dim')}`);
  lines.push('');
  return `${lines.join('\n')}\n`;
}

function clockText(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(11, 23);
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`.trimEnd())
    .join('\n');
}
