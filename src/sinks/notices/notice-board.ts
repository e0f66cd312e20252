/** All ways to tell people together: burning budgets to each, and what needs a person to those that escalations name. */
import type { StoredNote } from '../../model/checkpoint.ts';
import type { Notice } from '../../model/notice.ts';
import type { NoticeChannel } from './notice-channel.ts';

/** What each channel was told, so that a restart neither tells it again nor forgets to tell its end. */
const TOLD_NOTE = 'told';

type ToldNote = Readonly<Record<string, readonly Notice[]>>;

export class NoticeBoard {
  readonly #channels: readonly NoticeChannel[];
  readonly #escalateTo: ReadonlySet<string>;

  constructor(channels: readonly NoticeChannel[], escalateTo: readonly string[]) {
    this.#channels = channels;
    this.#escalateTo = new Set(escalateTo);
  }

  /** All burns that fire now, and all else that needs a person for as long as it is among these; see `NoticeChannel.setFiring`. */
  setFiring(burns: readonly Notice[], needs: readonly Notice[] = []): void {
    for (const channel of this.#channels) channel.setFiring(this.#escalateTo.has(channel.name) ? [...burns, ...needs] : burns);
  }

  /**
   * Resolves when one of the channels has taken it, at once when there is none. The others are told as soon as they can be, until `abort` fires. What is over
   * takes the place of what began wherever that is not told yet.
   */
  async escalate(notice: Notice, abort: AbortSignal): Promise<void> {
    const named = this.#channels.filter(({ name }) => this.#escalateTo.has(name));
    const toTell = notice.state === 'firing' ? named : named.filter((channel) => !channel.withdraw(notice.key));
    if (toTell.length > 0) await Promise.any(toTell.map((channel) => channel.tell(notice, abort)));
  }

  /** What changed since the last call. */
  snapshot(): readonly StoredNote[] {
    const changed = this.#channels.map((channel) => channel.takeUnsaved() !== null);
    if (!changed.includes(true)) return [];
    const told: ToldNote = Object.fromEntries(this.#channels.map((channel) => [channel.name, channel.told()]));
    return [{ key: TOLD_NOTE, json: JSON.stringify(told) }];
  }

  /** Takes up what `snapshot` saved; what was told to a channel that is gone is forgotten. */
  restore(notes: readonly StoredNote[]): void {
    const note = notes.find(({ key }) => key === TOLD_NOTE);
    if (note === undefined) return;
    const told = new Map(Object.entries(JSON.parse(note.json) as ToldNote));
    for (const channel of this.#channels) channel.restore(told.get(channel.name) ?? []);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.stop()));
  }
}
