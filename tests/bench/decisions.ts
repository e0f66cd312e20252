/** `npm run bench:decisions`: proves by simulation how often healthy canaries are rolled back and how soon sick ones are. */
import { parseArgs } from 'node:util';
import { CELLS } from './decisions/cells.ts';
import { simulateAll } from './decisions/simulate-all.ts';

const { values } = parseArgs({ options: { resume: { type: 'string' }, only: { type: 'string' }, runs: { type: 'string' } } });
const cells = CELLS.filter(({ id }) => values.only === undefined || id.includes(values.only)).map((cell) => ({
  ...cell,
  runs: values.runs === undefined ? cell.runs : Number(values.runs),
}));
const { outcomes, cpuMs } = await simulateAll(cells, {
  resume: values.resume,
  onProgress: ({ done, of, cell }) => process.stderr.write(`\r${done}/${of} ${cell}   `),
});
for (const [id, said] of outcomes) {
  const rolledBack = said.filter((outcome) => outcome.slipstream?.rollback !== null).length;
  console.log(`${id}: ${rolledBack} of ${said.length} rolled back, ${cpuMs.get(id)?.toFixed(0)} ms each`);
}
