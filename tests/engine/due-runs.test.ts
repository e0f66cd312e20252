/** A checkpoint saves news at once and evidence in turn. */
import { describe, expect, it } from 'vitest';
import { dueRuns } from '../../src/engine/due-runs.ts';

interface Run {
  readonly id: string;
  isDirty: boolean;
  isNews: boolean;
  readonly endpoints: number;
  savedAt: number;
}

function run(id: string, of: Partial<Run> = {}): Run {
  return { id, isDirty: true, isNews: false, endpoints: 200, savedAt: 0, ...of };
}

const ids = (runs: readonly Run[]): string[] => runs.map(({ id }) => id);

describe('the runs a checkpoint saves', () => {
  it('are all that changed when there is little of them', () => {
    expect(ids(dueRuns([run('a'), run('b', { isDirty: false }), run('c', { savedAt: 5 })]))).toEqual(['a', 'c']);
  });

  it('are all with news, however large, and besides them evidence of 500 endpoints', () => {
    const runs = [run('grown'), run('big', { isNews: true, endpoints: 1000 }), run('also', { isNews: true, endpoints: 1000 })];
    expect(ids(dueRuns(runs))).toEqual(['big', 'also', 'grown']);
  });

  it('include one however large, so that it is saved at all', () => {
    expect(ids(dueRuns([run('big', { endpoints: 1000 }), run('small', { endpoints: 1, savedAt: 1 })]))).toEqual(['big']);
  });

  it('come each in its turn, the one that waited longest first', () => {
    const runs = ['a', 'b', 'c', 'd', 'e'].map((id, i) => run(id, { savedAt: -i }));
    const turns: string[] = [];
    for (let now = 1; now <= 5; now++) {
      const due = dueRuns(runs);
      turns.push(ids(due).join(''));
      for (const one of due) one.savedAt = now;
    }
    expect(turns).toEqual(['ed', 'cb', 'ad', 'eb', 'ca']);
  });
});
