/** The gate's answer for people: one line, then every finding. */
import type { GateWire } from '../api/gate-schemas.ts';
import { momentText } from '../model/number-text.ts';
import { visible } from '../model/safe-text.ts';
import { renderTable, type TableOptions } from './table.ts';
import { type Tone, toned } from './terminal-text.ts';

const SAID: Readonly<Record<GateWire['answer'], string>> = {
  allow: 'may go out',
  warn: 'may go out, with care',
  refuse: 'must not go out',
  unknown: 'is not known to be safe',
};
const TONES: Readonly<Record<GateWire['answer'], Tone>> = { allow: 'good', warn: 'warning', refuse: 'bad', unknown: 'warning' };

/** Of what speaks for a deploy, so many lines; what speaks against it is never cut. */
const MAX_ALLOWING = 10;

export function gatePage({ service, answer, findings, now, override }: GateWire, options: TableOptions): string {
  const head = `${toned(answer, TONES[answer], options.color === true)}: a deploy of ${visible(service)} ${SAID[answer]} (${momentText(now)})`;
  const against = findings.filter((finding) => finding.answer !== 'allow');
  const allowing = findings.filter((finding) => finding.answer === 'allow');
  const shown = [...against, ...allowing.slice(0, MAX_ALLOWING)];
  const rows = shown.map((finding) => [{ text: finding.answer, tone: TONES[finding.answer] }, finding.reason, finding.text]);
  const more = allowing.length - MAX_ALLOWING;
  // An override of nothing is in no finding.
  const unused = override !== null && !findings.some(({ reason }) => reason === 'overridden');
  return [
    head,
    '',
    renderTable([{ header: 'ANSWER' }, { header: 'REASON' }, { header: 'WHY' }], rows, { ...options, width: Number.POSITIVE_INFINITY }),
    ...(more > 0 ? [`and ${more} more that ${more === 1 ? 'allows' : 'allow'} it; -o json has all`] : []),
    ...(unused ? ['', visible(`An override by ${override.by} is in force until ${momentText(override.until)}, and is not needed.`)] : []),
  ].join('\n');
}
