/** Shares the rollouts of all cells among threads; the results do not depend on how many there are. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Cell } from './cells.ts';
import { fingerprint } from './fingerprint.ts';
import type { Outcome } from './rollout.ts';
import type { Piece, Simulated } from './worker.ts';

/** Rollouts that a thread does between two reports. */
const PIECE = 10;

export interface Progress {
  readonly done: number;
  readonly of: number;
  readonly cell: string;
}

export interface SimulationOptions {
  /** Outcomes are appended to this file, and those it has of the same programs are not simulated again. */
  readonly resume?: string | undefined;
  readonly workers?: number;
  readonly onProgress?: (progress: Progress) => void;
}

/** Outcomes by cell and rollout, and what they cost. */
export interface Simulation {
  readonly outcomes: ReadonlyMap<string, readonly Outcome[]>;
  /** Milliseconds of a thread per rollout simulated now. */
  readonly cpuMs: ReadonlyMap<string, number>;
}

interface Line {
  readonly key: string;
  readonly from: number;
  readonly outcomes: readonly Outcome[];
}

/** Everything that outcomes depend on. */
function keyOf(cell: Cell, programs: string): string {
  return JSON.stringify({ ...cell, runs: 0, programs });
}

export async function simulateAll(cells: readonly Cell[], options: SimulationOptions = {}): Promise<Simulation> {
  const byCell = new Map<Cell, (Outcome | undefined)[]>(cells.map((cell) => [cell, new Array(cell.runs).fill(undefined)]));
  const programs = fingerprint();
  recall(cells, byCell, programs, options.resume);
  const pieces: Piece[] = [];
  for (const [cell, outcomes] of byCell) {
    for (let from = 0; from < cell.runs; from += PIECE) {
      const to = Math.min(cell.runs, from + PIECE);
      if (outcomes.slice(from, to).includes(undefined)) pieces.push({ cell, from, to });
    }
  }
  const cost = new Map<string, { ms: number; runs: number }>();
  const of = pieces.length;
  let done = 0;
  const take = (result: Simulated, cell: Cell) => {
    const known = byCell.get(cell) as (Outcome | undefined)[];
    result.outcomes.forEach((outcome, offset) => {
      known[result.from + offset] = outcome;
    });
    const spent = cost.get(cell.id) ?? { ms: 0, runs: 0 };
    cost.set(cell.id, { ms: spent.ms + result.cpuMs, runs: spent.runs + result.outcomes.length });
    if (options.resume !== undefined) {
      const line: Line = { key: keyOf(cell, programs), from: result.from, outcomes: result.outcomes };
      appendFileSync(options.resume, `${JSON.stringify(line)}\n`);
    }
    options.onProgress?.({ done: ++done, of, cell: cell.id });
  };
  const workers = Math.min(options.workers ?? availableParallelism(), pieces.length);
  await Promise.all(Array.from({ length: workers }, () => work(pieces, take)));
  return {
    outcomes: new Map([...byCell].map(([cell, outcomes]) => [cell.id, outcomes as Outcome[]])),
    cpuMs: new Map([...cost].map(([id, { ms, runs }]) => [id, ms / runs])),
  };
}

/** One thread that takes pieces off the list until there are none. */
function work(pieces: Piece[], take: (result: Simulated, cell: Cell) => void): Promise<void> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    let piece: Piece | undefined;
    const next = () => {
      piece = pieces.shift();
      if (piece === undefined) worker.terminate().then(() => resolve(), reject);
      else worker.postMessage(piece);
    };
    worker.on('error', reject);
    worker.on('message', (result: Simulated) => {
      take(result, (piece as Piece).cell);
      next();
    });
    next();
  });
}

function recall(
  cells: readonly Cell[],
  byCell: ReadonlyMap<Cell, (Outcome | undefined)[]>,
  programs: string,
  file: string | undefined,
): void {
  if (file === undefined || !existsSync(file)) return;
  const byKey = new Map(cells.map((cell) => [keyOf(cell, programs), cell]));
  const text = readFileSync(file, 'utf8');
  // What is appended must not continue a line that was torn.
  if (text !== '' && !text.endsWith('\n')) appendFileSync(file, '\n');
  for (const line of text.split('\n').flatMap(parsed)) {
    const cell = byKey.get(line.key);
    if (cell === undefined) continue;
    const known = byCell.get(cell) as (Outcome | undefined)[];
    line.outcomes.forEach((outcome, offset) => {
      if (line.from + offset < known.length) known[line.from + offset] = outcome;
    });
  }
}

function parsed(text: string): Line[] {
  try {
    return [JSON.parse(text) as Line];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
