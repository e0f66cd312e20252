/** `npm run bench:decisions`: proves by simulation how often healthy canaries are rolled back and how soon sick ones are found. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cellFigures } from './decisions/figures.ts';
import { fullPlan, quickPlan } from './decisions/plan.ts';
import { plotOf } from './decisions/plot.ts';
import { readmeTable, withTable } from './decisions/readme-table.ts';
import { reportOf, textOf } from './decisions/report.ts';
import { type Progress, simulateAll } from './decisions/simulate-all.ts';

const USAGE = `usage: npm run bench:decisions [-- OPTIONS]
  --quick         a small part, as in the tests (half a minute; all of it takes about 45 minutes on two cores)
  --only TEXT     cells whose name contains TEXT
  --runs N        so many rollouts of each cell instead
  --workers N     so many threads instead of one per core; the figures do not depend on it
  --resume FILE   keeps what was simulated in FILE and goes on from there, as long as the programs are the same
  --json FILE     writes all figures
  --svg FILE      draws them
  --publish       writes the table of the README, and docs/decisions.svg`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    runs: { type: 'string' },
    workers: { type: 'string' },
    resume: { type: 'string' },
    json: { type: 'string' },
    svg: { type: 'string' },
    publish: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const plan = values.quick ? quickPlan() : fullPlan();
const cells = plan.cells
  .filter(({ id }) => values.only === undefined || id.includes(values.only))
  .map((cell) => (values.runs === undefined ? cell : { ...cell, runs: Number(values.runs), comparedRuns: Number(values.runs) }));
const PIECES_A_LINE = 50;
const begun = Date.now();
const { outcomes, cpuMs } = await simulateAll(cells, {
  resume: values.resume,
  ...(values.workers === undefined ? {} : { workers: Number(values.workers) }),
  onProgress: showProgress,
});
if (process.stderr.isTTY) process.stderr.write('\n');
const report = reportOf(
  cells.map((cell) => cellFigures(cell, outcomes.get(cell.id) ?? [])),
  plan.demands,
);
console.log(textOf(report));
console.log('\nT10, the cost of judging, is measured by `npm run bench -- evaluate`.');
console.log(costOf(cpuMs));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 1)}\n`);
if (values.svg !== undefined) writeFileSync(values.svg, plotOf(report));
if (values.publish) publish();
process.exitCode = report.demands.every(({ isMet }) => isMet) ? 0 : 3;

function publish(): void {
  const root = join(import.meta.dirname, '../..');
  const readme = join(root, 'README.md');
  const page = withTable(readFileSync(readme, 'utf8'), readmeTable(report));
  if (page === null) throw new Error(`${readme} has no place for the table`);
  writeFileSync(readme, page);
  mkdirSync(join(root, 'docs'), { recursive: true });
  writeFileSync(join(root, 'docs/decisions.svg'), plotOf(report));
}

/** A line that is written over, or where it would be kept one now and then. */
function showProgress({ done, of, cell }: Progress): void {
  const { isTTY } = process.stderr;
  if (!isTTY && done % PIECES_A_LINE !== 0 && done < of) return;
  const left = ((Date.now() - begun) / done) * (of - done);
  const text = `${done} of ${of} pieces, ${Math.ceil(left / 60_000)} min left: ${cell}`;
  process.stderr.write(isTTY ? `\r${text.padEnd(90)}` : `${text}\n`);
}

function costOf(costs: ReadonlyMap<string, number>): string {
  const text = [...costs].map(([id, ms]) => `${id} ${ms.toFixed(0)}`);
  return `milliseconds of one core per rollout: ${text.join(', ')}`;
}
