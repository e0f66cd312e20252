/** `npm run bench [-- PART …] [--json FILE]`: measures, prints every figure beside its goal, judges nothing. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchCheckpoint } from './checkpoint.ts';
import { benchDecode } from './decode.ts';
import { benchEvaluate } from './evaluate.ts';
import type { Figure } from './figure.ts';
import { benchIngest } from './ingest.ts';
import { benchMemory } from './memory.ts';
import { benchSignal } from './signal.ts';
import { benchSlo } from './slo.ts';
import { benchTick } from './tick.ts';
import { benchTransport } from './transport.ts';

const PARTS: Readonly<Record<string, () => Promise<Figure[]>>> = {
  decode: benchDecode,
  ingest: benchIngest,
  evaluate: benchEvaluate,
  tick: benchTick,
  checkpoint: benchCheckpoint,
  memory: benchMemory,
  signal: benchSignal,
  slo: benchSlo,
  transport: () => benchTransport(),
  service: () => benchTransport({ prefix: 'service', consumeModule: new URL('./pipeline-consume.ts', import.meta.url).href }),
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' }, help: { type: 'boolean' } } });
const unknown = positionals.filter((part) => PARTS[part] === undefined);
if (values.help === true || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no such part: ${unknown.join(', ')}`);
  console.error(`usage: npm run bench [-- PART …] [--json FILE]; parts: ${Object.keys(PARTS).join(', ')}`);
  process.exit(unknown.length > 0 ? 2 : 0);
}
const figures: Figure[] = [];
for (const part of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
  console.log(`\n${part}`);
  for (const figure of (await PARTS[part]?.()) ?? []) {
    figures.push(figure);
    const goal = figure.goal === undefined ? '' : `   (goal ${figure.goal})`;
    console.log(`  ${figure.name.padEnd(64)} ${rounded(figure.value).padStart(14)} ${figure.unit}${goal}`);
  }
}
if (values.json !== undefined) {
  const plain = figures.map(({ name, unit, value }) => ({ name, unit, value }));
  writeFileSync(values.json, `${JSON.stringify(plain, null, 2)}\n`);
}

function rounded(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}
