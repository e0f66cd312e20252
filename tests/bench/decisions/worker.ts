/** A thread that simulates what it is told to, one piece after the other. */
import { parentPort } from 'node:worker_threads';
import type { Cell } from './cells.ts';
import { type Outcome, simulate } from './rollout.ts';

/** Rollouts [from, to) of a cell. */
export interface Piece {
  readonly cell: Cell;
  readonly from: number;
  readonly to: number;
}

export interface Simulated extends Piece {
  readonly outcomes: readonly Outcome[];
  readonly cpuMs: number;
}

export function simulatePiece(piece: Piece): Simulated {
  const before = process.threadCpuUsage();
  const outcomes: Outcome[] = [];
  for (let index = piece.from; index < piece.to; index++) outcomes.push(simulate(piece.cell, index));
  const { user, system } = process.threadCpuUsage(before);
  return { ...piece, outcomes, cpuMs: (user + system) / 1000 };
}

parentPort?.on('message', (piece: Piece) => parentPort?.postMessage(simulatePiece(piece)));
