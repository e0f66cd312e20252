/** Bounds the memory of requests in flight, over all receivers of the process together. */
import type { Telemetry } from '../telemetry/telemetry.ts';

/** The gauge is not worth an update for less than this. */
const GAUGE_STEP_BYTES = 64 * 1024;

/** Counts payload bytes held between their arrival and the answer, as received and as inflated. */
export class Admission {
  readonly limitBytes: number;
  #heldBytes = 0;
  #shownBytes = 0;
  #isDraining = false;
  readonly #telemetry: Telemetry;

  constructor(limitBytes: number, telemetry: Telemetry) {
    this.limitBytes = limitBytes;
    this.#telemetry = telemetry;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** No new request is let in. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** From now on every new request is refused as `draining`; those let in may finish. Cannot be undone. */
  drain(): void {
    this.#isDraining = true;
  }

  /** True when `bytes` more would be let in now. A request that would be the only one always is, whatever the limit. */
  hasRoom(bytes: number): boolean {
    return this.#heldBytes === 0 || this.#heldBytes + bytes <= this.limitBytes;
  }

  /** What one request holds; starts with nothing. */
  lease(): Lease {
    let bytes = 0;
    let isOpen = true;
    return {
      grow: (more) => {
        if (!isOpen) return false;
        // Alone it may exceed the limit, else a limit below the size of one request would refuse that request for ever.
        if (this.#heldBytes !== bytes && this.#heldBytes + more > this.limitBytes) return false;
        bytes += more;
        this.#change(more);
        return true;
      },
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#change(-bytes);
      },
    };
  }

  #change(bytes: number): void {
    this.#heldBytes += bytes;
    if (this.#heldBytes !== 0 && Math.abs(this.#heldBytes - this.#shownBytes) < GAUGE_STEP_BYTES) return;
    if (this.#heldBytes === this.#shownBytes) return;
    this.#shownBytes = this.#heldBytes;
    this.#telemetry.set('receiver_in_flight_bytes', this.#heldBytes);
  }
}

export interface Lease {
  /** Holds `more` bytes; false when there is no room or the lease is closed, and then nothing changes. */
  grow(more: number): boolean;
  /** Gives everything back. Safe to call twice. */
  close(): void;
}
