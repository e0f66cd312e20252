/** Turns how objects are now into beginnings and ends of rollouts, each told until it was taken. */
import type { RolloutEnd } from '../model/rollout.ts';
import { rolloutIdOf } from '../model/rollout-name.ts';
import type { DurationMs } from '../model/time.ts';
import type { Moment, Reading, RolloutHandlers, Told, WatchedRollout } from './watched-rollout.ts';

const AGAIN_MS: DurationMs = 2_000;

export interface BookParts {
  readonly handlers: RolloutHandlers;
  /** Something was refused, or a handler threw. */
  onTrouble(reason: 'refused' | 'failed', text: string): void;
  /** Runs `task` once after a wait, and returns what cancels it. */
  schedule(task: () => void, waitMs: DurationMs): () => void;
}

interface Page {
  /** Newest reading of the object; null: it is gone. */
  wanted: Reading | null;
  /** What was told last and taken. */
  begun: { readonly id: string; readonly uid: string | undefined; readonly share: number | null } | null;
  /** Ends of rollouts that were over when the object was first seen are told too: they may have ended while nobody looked. */
  isFresh: boolean;
  isTelling: boolean;
}

/** One for each watch. Objects are told of one after the other each, so that a beginning never overtakes an end. */
export class RolloutBook {
  readonly #parts: BookParts;
  readonly #pages = new Map<string, Page>();
  #cancel: (() => void) | null = null;
  #isClosed = false;

  constructor(parts: BookParts) {
    this.#parts = parts;
  }

  /** `key` names the object: a namespace and a name. */
  seen(key: string, reading: Reading): void {
    const page = this.#pages.get(key);
    if (page === undefined) this.#pages.set(key, { wanted: reading, begun: null, isFresh: true, isTelling: false });
    else page.wanted = reading;
    this.#tell(key);
  }

  gone(key: string): void {
    const page = this.#pages.get(key);
    if (page === undefined) return;
    page.wanted = null;
    this.#tell(key);
  }

  /** Of the keys that `isMeant`, only these are there still. */
  keepOnly(keys: ReadonlySet<string>, isMeant: (key: string) => boolean): void {
    for (const key of [...this.#pages.keys()]) if (isMeant(key) && !keys.has(key)) this.gone(key);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #tell(key: string): void {
    const page = this.#pages.get(key);
    if (page === undefined || page.isTelling || this.#isClosed) return;
    page.isTelling = true;
    this.#settle(page)
      .then((told) => {
        page.isTelling = false;
        if (told === 'later') this.#again();
        else if (!this.#isSettled(page)) this.#tell(key);
        else if (page.wanted === null) this.#pages.delete(key);
      })
      // Everything that is called there is guarded.
      .catch(() => undefined);
  }

  /** Tells until what was told is what is wanted, which may change meanwhile. */
  async #settle(page: Page): Promise<Told> {
    while (!this.#isClosed) {
      const { wanted, begun, isFresh } = page;
      const next = wanted?.inFlight ?? null;
      const nextId = next === null ? null : rolloutIdOf(next.target);
      if (begun !== null && (begun.id !== nextId || begun.uid !== next?.target.uid)) {
        const how = wanted !== null && rolloutIdOf(wanted.target) === begun.id ? endOf(wanted) : 'over';
        if ((await this.#guarded(() => this.#parts.handlers.end(begun.id, how), begun.id)) === 'later') return 'later';
        page.begun = null;
      } else if (next !== null && nextId !== null && (begun === null || begun.share !== next.canaryShare)) {
        const moment = begun !== null ? 'going_on' : isFresh ? 'found' : 'begun';
        if ((await this.#begin(next, nextId, moment)) === 'later') return 'later';
        page.begun = { id: nextId, uid: next.target.uid, share: next.canaryShare };
      } else if (isFresh && wanted !== null && next === null) {
        const id = rolloutIdOf(wanted.target);
        if ((await this.#guarded(() => this.#parts.handlers.end(id, endOf(wanted)), id)) === 'later') return 'later';
      } else return 'done';
      page.isFresh = false;
    }
    return 'done';
  }

  /** Something may have been seen after the last look. */
  #isSettled({ wanted, begun }: Page): boolean {
    const next = wanted?.inFlight ?? null;
    if (next === null || begun === null) return next === null && begun === null;
    return begun.id === rolloutIdOf(next.target) && begun.uid === next.target.uid && begun.share === next.canaryShare;
  }

  #begin(rollout: WatchedRollout, id: string, moment: Moment): Promise<Told> {
    return this.#guarded(() => this.#parts.handlers.begin(rollout, moment), id);
  }

  /** What was refused is not told again until something changes. */
  async #guarded(tell: () => Promise<Told> | Told, id: string): Promise<Told> {
    try {
      const told = await tell();
      if (told === 'refused') this.#parts.onTrouble('refused', id);
      return told;
    } catch (error) {
      this.#parts.onTrouble('failed', `${id}: ${error instanceof Error ? error.message : String(error)}`);
      return 'later';
    }
  }

  #again(): void {
    if (this.#isClosed) return;
    this.#cancel ??= this.#parts.schedule(() => {
      this.#cancel = null;
      for (const key of this.#pages.keys()) this.#tell(key);
    }, AGAIN_MS);
  }
}

function endOf({ isThrough }: Reading): RolloutEnd {
  return isThrough ? 'through' : 'over';
}
