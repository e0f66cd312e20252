/** The small simulation that every test run can afford: healthy canaries stay, sick ones are found in time, and what must fail does. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Cell, healthy, sick, threePods } from '../bench/decisions/cells.ts';
import { cellFigures } from '../bench/decisions/figures.ts';
import { fullPlan, type Plan, quickPlan } from '../bench/decisions/plan.ts';
import { plotOf } from '../bench/decisions/plot.ts';
import { readmeTable, withTable } from '../bench/decisions/readme-table.ts';
import { type Report, reportOf } from '../bench/decisions/report.ts';
import { type SimulationOptions, simulateAll } from '../bench/decisions/simulate-all.ts';

async function report({ cells, demands }: Plan, options: SimulationOptions = {}): Promise<Report> {
  const { outcomes } = await simulateAll(cells, options);
  return reportOf(
    cells.map((cell) => cellFigures(cell, outcomes.get(cell.id) ?? [])),
    demands,
  );
}

/** Short rollouts of several kinds. */
const SMALL: readonly Cell[] = [
  { ...healthy('pods', 10, 11), seconds: 120 },
  { ...healthy('ramp', 100, 3), seconds: 120 },
  sick('err 5%', 100, 3),
  { ...threePods('stall', 100, 2, true), seconds: 60 },
];

describe('the quick simulation', () => {
  it('meets every demand', async () => {
    const { demands } = await report(quickPlan());
    expect(demands.length).toBe(quickPlan().demands.length);
    expect(demands.filter(({ isMet }) => !isMet)).toEqual([]);
  }, 240_000);

  it('gives the same figures whoever simulates them, and after it was interrupted', async () => {
    const plan = { cells: SMALL, demands: [] };
    const folder = mkdtempSync(join(tmpdir(), 'slipstream-decisions-'));
    try {
      const resume = join(folder, 'outcomes.jsonl');
      const expected = JSON.stringify(await report(plan, { workers: 1, resume }));
      expect(JSON.stringify(await report(plan, { workers: 2 }))).toBe(expected);
      const lines = readFileSync(resume, 'utf8').split('\n');
      writeFileSync(resume, `${lines.slice(0, 2).join('\n')}\n${lines[2]?.slice(0, 20)}`);
      expect(JSON.stringify(await report(plan, { workers: 2, resume }))).toBe(expected);
      let simulatedAgain = 0;
      expect(JSON.stringify(await report(plan, { resume, onProgress: () => simulatedAgain++ }))).toBe(expected);
      expect(simulatedAgain).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a report', () => {
  it('judges what was simulated, and nothing else', () => {
    const { cells, demands } = fullPlan();
    const first = demands[0];
    expect(reportOf([], demands).demands).toEqual([]);
    const calm = cells.map((cell) => cellFigures(cell, [{ slipstream: { rollback: null, promote: null, hold: null } }]));
    expect(reportOf(calm, demands).demands.find(({ text }) => text === first?.text)?.isMet).toBe(true);
    const bad = cells.map((cell) =>
      cellFigures(
        cell,
        Array.from({ length: 5 }, () => ({ slipstream: { rollback: 10, promote: null, hold: null } })),
      ),
    );
    expect(reportOf(bad, demands).demands.find(({ text }) => text === first?.text)?.isMet).toBe(false);
  });

  it('is drawn and written down even where figures are missing', () => {
    const empty = { cells: [], demands: [] };
    expect(plotOf(empty)).toMatch(/^<svg [^>]+>[\s\S]+<\/svg>\n$/);
    const page = withTable('a\n<!-- decisions:begin -->\nold\n<!-- decisions:end -->\nb', readmeTable(empty));
    expect(page).toMatch(/^a\n<!-- decisions:begin -->\n!\[[\s\S]+<!-- decisions:end -->\nb$/);
    expect(withTable('no markers', 'text')).toBeNull();
  });

  it('has cells with names of their own', () => {
    for (const { cells } of [fullPlan(), quickPlan()]) expect(new Set(cells.map(({ id }) => id)).size).toBe(cells.length);
  });
});
