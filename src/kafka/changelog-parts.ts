/** Rows of any size as records that a broker takes, and back. */
import { crc32 } from 'node:zlib';
import { PermanentError } from '../model/errors.ts';
import type { ChangelogRow } from './changelog-row.ts';

/** Brokers refuse a batch above `max.message.bytes`, 1,048,588 by default, and one record is the smallest batch. */
const MAX_PART_BYTES = 700_000;

// The first byte of a record says what it is. The first part has the key of the row; part n has the key `<key>#n`, which ends in no row's key.
// |       | byte 0 | bytes 1-2 (big-endian) | bytes 3-6 (big-endian)       | rest         |
// |-------|--------|------------------------|------------------------------|--------------|
// | whole | 0      |                        |                              | value, at 1  |
// | first | 1      | number of parts        | CRC-32 of the whole value    | value, at 7  |
// | later | 2      | number of this part    | CRC-32 of the whole value    | value, at 7  |
const WHOLE = 0;
const FIRST = 1;
const LATER = 2;
const HEAD_BYTES = 7;
const LATER_KEY = /^(.*)#(\d{1,5})$/s;

/** Cuts rows into records. Knows of each key how many records stand for it, so that none of a longer value outlives it. */
export class RowSplitter {
  readonly #partBytes: number;
  /** Keys of more than one part. */
  readonly #parts = new Map<string, number>();

  constructor(partBytes = MAX_PART_BYTES) {
    this.#partBytes = partBytes;
  }

  /** So many records stand for the key, as was read. */
  known(key: string, parts: number): void {
    if (parts > 1) this.#parts.set(key, parts);
    else this.#parts.delete(key);
  }

  /** The same rows give the same records until `written`. */
  records(rows: readonly ChangelogRow[]): readonly ChangelogRow[] {
    return rows.flatMap((row) => {
      const records = row.value === null ? [row] : this.#cut(row.key, row.value);
      const surplus: ChangelogRow[] = [];
      for (let n = records.length; n < (this.#parts.get(row.key) ?? 1); n++) surplus.push({ key: laterKey(row.key, n), value: null });
      return [...records, ...surplus];
    });
  }

  /** The records of these rows are in the log. */
  written(rows: readonly ChangelogRow[]): void {
    for (const { key, value } of rows) this.known(key, this.#count(value));
  }

  #count(value: Uint8Array | null): number {
    return value === null || value.length <= this.#partBytes ? 1 : Math.ceil(value.length / this.#partBytes);
  }

  #cut(key: string, value: Uint8Array): readonly ChangelogRow[] {
    const count = this.#count(value);
    if (count === 1) {
      const bytes = new Uint8Array(1 + value.length);
      bytes[0] = WHOLE;
      bytes.set(value, 1);
      return [{ key, value: bytes }];
    }
    if (count > 0xffff) throw new PermanentError('row_too_large', `writing row ${key}: ${value.length} bytes are too many`);
    const crc = crc32(value);
    return Array.from({ length: count }, (_, n) => {
      const part = value.subarray(n * this.#partBytes, (n + 1) * this.#partBytes);
      const bytes = Buffer.alloc(HEAD_BYTES + part.length);
      bytes[0] = n === 0 ? FIRST : LATER;
      bytes.writeUInt16BE(n === 0 ? count : n, 1);
      bytes.writeUInt32BE(crc, 3);
      bytes.set(part, HEAD_BYTES);
      return { key: n === 0 ? key : laterKey(key, n), value: bytes };
    });
  }
}

/** Makes rows of records again, in the order in which they are complete. Holds no more than what is not complete yet. */
export class RowJoiner {
  readonly #take: (row: ChangelogRow, parts: number) => void;
  readonly #open = new Map<string, OpenRow>();

  /** The value that `take` is given may be a slice of what was read. */
  constructor(take: (row: ChangelogRow, parts: number) => void) {
    this.#take = take;
  }

  /** Of a row that was replaced meanwhile compaction may have left any part: it is forgotten when the next first part comes. */
  add({ key, value }: ChangelogRow): void {
    const later = LATER_KEY.exec(key);
    if (later !== null) {
      // A deleted one is a surplus one, or follows its first part, which was deleted before it.
      if (value !== null) this.#addLater(later[1] as string, Number(later[2]), value);
      return;
    }
    this.#open.delete(key);
    if (value === null) this.#take({ key, value }, 1);
    else if (value[0] === WHOLE) this.#take({ key, value: value.subarray(1) }, 1);
    else if (value[0] === FIRST && value.length > HEAD_BYTES) this.#begin(key, value);
    else throw unreadable(key, `its first byte ${value[0] ?? 'is missing'}${value.length === 0 ? '' : ' means nothing to this program'}`);
  }

  /** To be called at the end. Throws PermanentError when parts are missing. */
  finish(): void {
    const [torn] = this.#open;
    if (torn !== undefined) throw unreadable(torn[0], 'parts of it are missing');
  }

  #begin(key: string, value: Uint8Array): void {
    const { n: count, crc, bytes } = partOf(value);
    if (count < 2) throw unreadable(key, `it says that it has ${count} parts`);
    const parts = new Array<Uint8Array | null>(count).fill(null);
    parts[0] = bytes;
    this.#open.set(key, { crc, parts });
  }

  #addLater(key: string, n: number, value: Uint8Array): void {
    if (value[0] !== LATER || value.length <= HEAD_BYTES || partOf(value).n !== n) throw unreadable(key, `its part ${n} is none`);
    const { crc, bytes } = partOf(value);
    const open = this.#open.get(key);
    // Of a value that was replaced, or of none.
    if (open === undefined || open.crc !== crc || n >= open.parts.length) return;
    open.parts[n] = bytes;
    if (open.parts.includes(null)) return;
    this.#open.delete(key);
    const whole = Buffer.concat(open.parts as Uint8Array[]);
    if (crc32(whole) !== crc) throw unreadable(key, 'its checksum is another one');
    this.#take({ key, value: whole }, open.parts.length);
  }
}

interface OpenRow {
  readonly crc: number;
  /** Null: not read yet. */
  readonly parts: (Uint8Array | null)[];
}

/** A copy of its bytes: what was read is kept until the row is complete. */
function partOf(value: Uint8Array): { readonly n: number; readonly crc: number; readonly bytes: Uint8Array } {
  const view = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return { n: view.readUInt16BE(1), crc: view.readUInt32BE(3), bytes: Uint8Array.from(value.subarray(HEAD_BYTES)) };
}

function laterKey(key: string, n: number): string {
  return `${key}#${n}`;
}

function unreadable(key: string, why: string): PermanentError {
  return new PermanentError(
    'state_damaged',
    `reading row ${key.slice(0, 200)} of the saved state: ${why}; it is not as this program wrote it`,
  );
}
