/** Running totals per series since the state began: how much came, and how much of it too late or without a usable latency. */
import type { StoredNote } from '../model/checkpoint.ts';
import { PermanentError } from '../model/errors.ts';

/** Series per note. */
const CHUNK = 512;
const KEY = 'window.series.';
/** Numbers of one series in a note. */
const STRIDE = 5;

export class SeriesTallies {
  #received = new Float64Array(CHUNK);
  #weight = new Float64Array(CHUNK);
  #late = new Float64Array(CHUNK);
  #behind = new Float64Array(CHUNK);
  #untimed = new Float64Array(CHUNK);
  readonly #dirty = new Set<number>();

  /** `spans`, of them `untimed` without a usable latency, standing for `weight` requests. */
  add(series: number, spans: number, untimed: number, weight: number, isLate: boolean, isBehind: boolean): void {
    if (series >= this.#received.length) this.#grow(series);
    this.#received[series] = (this.#received[series] as number) + spans;
    this.#untimed[series] = (this.#untimed[series] as number) + untimed;
    this.#weight[series] = (this.#weight[series] as number) + weight;
    if (isLate) this.#late[series] = (this.#late[series] as number) + spans;
    if (isBehind) this.#behind[series] = (this.#behind[series] as number) + spans;
    this.#dirty.add(Math.floor(series / CHUNK));
  }

  received(series: number): number {
    return this.#received[series] ?? 0;
  }

  receivedWeight(series: number): number {
    return this.#weight[series] ?? 0;
  }

  late(series: number): number {
    return this.#late[series] ?? 0;
  }

  behind(series: number): number {
    return this.#behind[series] ?? 0;
  }

  untimed(series: number): number {
    return this.#untimed[series] ?? 0;
  }

  /** One note per changed run of series: [received, weight, late, behind, untimed] of each. */
  takeChanged(): StoredNote[] {
    const notes = [...this.#dirty].map((chunk) => {
      const numbers: number[] = [];
      for (let id = chunk * CHUNK; id < (chunk + 1) * CHUNK; id++) {
        numbers.push(this.received(id), this.receivedWeight(id), this.late(id), this.behind(id), this.untimed(id));
      }
      while (numbers.at(-1) === 0) numbers.pop();
      return { key: `${KEY}${chunk}`, json: JSON.stringify(numbers) };
    });
    this.#dirty.clear();
    return notes;
  }

  restore(notes: readonly StoredNote[]): void {
    for (const note of notes) {
      if (!note.key.startsWith(KEY)) continue;
      const first = Number(note.key.slice(KEY.length)) * CHUNK;
      const numbers: unknown = JSON.parse(note.json);
      if (!Number.isInteger(first) || !Array.isArray(numbers))
        throw new PermanentError('note_corrupt', `reading note ${note.key}: no list`);
      for (let i = 0; i < numbers.length; i += STRIDE) {
        const id = first + i / STRIDE;
        if (id >= this.#received.length) this.#grow(id);
        this.#received[id] = Number(numbers[i] ?? 0);
        this.#weight[id] = Number(numbers[i + 1] ?? 0);
        this.#late[id] = Number(numbers[i + 2] ?? 0);
        this.#behind[id] = Number(numbers[i + 3] ?? 0);
        this.#untimed[id] = Number(numbers[i + 4] ?? 0);
      }
    }
  }

  #grow(series: number): void {
    const capacity = Math.max(this.#received.length * 2, series + 1);
    this.#received = grown(this.#received, capacity);
    this.#weight = grown(this.#weight, capacity);
    this.#late = grown(this.#late, capacity);
    this.#behind = grown(this.#behind, capacity);
    this.#untimed = grown(this.#untimed, capacity);
  }
}

function grown(previous: Float64Array<ArrayBuffer>, capacity: number): Float64Array<ArrayBuffer> {
  const next = new Float64Array(capacity);
  next.set(previous);
  return next;
}
