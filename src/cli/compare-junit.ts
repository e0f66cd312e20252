/** A comparison of recordings as JUnit XML: a suite for each service, a case for each endpoint and metric. */
import type { ComparedService, RecordingComparison } from '../model/recorded-comparison.ts';
import { visible } from '../model/safe-text.ts';
import { metricText, uncomparedText } from './compare-text.ts';

interface Case {
  readonly endpoint: string;
  readonly name: string;
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  readonly text: string;
}

/**
 * As CI systems read it (the schema of Jenkins' xUnit plug-in): `<failure>` where harm is proven, `<skipped>` where nothing could be said. Deliberately the
 * same for the same comparison: it holds no time of writing.
 */
export function junitXml({ services }: RecordingComparison): string {
  const suites = services.map((service) => ({ service, cases: casesOf(service) }));
  const all = suites.flatMap(({ cases }) => cases);
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites name="slipstream compare" ${counts(all)}>`];
  for (const { service, cases } of suites) {
    lines.push(`  <testsuite name="${escaped(service.service)}" ${counts(cases)} time="${(service.comparedMs / 1000).toFixed(3)}">`);
    for (const each of cases) lines.push(...caseXml(service.service, each));
    lines.push('  </testsuite>');
  }
  lines.push('</testsuites>', '');
  return lines.join('\n');
}

function casesOf({ metrics, uncompared }: ComparedService): Case[] {
  return [
    ...metrics.map((row) => ({ endpoint: row.endpoint, name: row.metric, outcome: row.outcome, text: metricText(row) })),
    ...uncompared.map((each) => ({
      endpoint: each.endpoint,
      name: 'compared',
      outcome: 'inconclusive' as const,
      text: uncomparedText(each),
    })),
  ];
}

function counts(cases: readonly Case[]): string {
  const of = (outcome: Case['outcome']) => cases.filter((each) => each.outcome === outcome).length;
  return `tests="${cases.length}" failures="${of('fail')}" errors="0" skipped="${of('inconclusive')}"`;
}

function caseXml(service: string, { endpoint, name, outcome, text }: Case): string[] {
  const head = `    <testcase classname="${escaped(`${service} ${endpoint}`)}" name="${escaped(name)}"`;
  const message = escaped(text);
  switch (outcome) {
    case 'pass':
      return [`${head}>`, `      <system-out>${message}</system-out>`, '    </testcase>'];
    case 'fail':
      return [`${head}>`, `      <failure type="regression" message="${message}">${message}</failure>`, '    </testcase>'];
    case 'inconclusive':
      return [`${head}>`, `      <skipped message="${message}"/>`, '    </testcase>'];
    default:
      return outcome satisfies never;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** For text and attributes alike. Characters that XML 1.0 has no way to write are written out, as in every other answer. */
function escaped(text: string): string {
  return visible(text)
    .replace(/[\ufffe\uffff]/g, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
