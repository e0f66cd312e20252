/** Hands a request's bytes to stage A, turns what it says into an answer, and counts both. */
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type Refusal, type Refused, refusal, type Taken } from './outcome-table.ts';
import type { Consume, SpanEncoding, Transport } from './receiver.ts';

/** One per receiver and start. */
export class Intake {
  readonly #consume: Consume;
  readonly #telemetry: Telemetry;
  readonly #labels: { readonly transport: Transport };

  constructor(transport: Transport, consume: Consume, telemetry: Telemetry) {
    this.#labels = { transport };
    this.#consume = consume;
    this.#telemetry = telemetry;
  }

  /** Inflated bytes in, answer out. */
  take(encoding: SpanEncoding, bytes: Uint8Array): Taken | Refused {
    this.#telemetry.add('receiver_bytes_total', bytes.length, this.#labels);
    const answer = this.#answer(encoding, bytes);
    if (answer.kind === 'taken') this.#telemetry.add('receiver_requests_total', 1, this.#labels);
    else this.refused(answer.outcome);
    return answer;
  }

  /** Counts a request that stage A never saw. */
  refused(outcome: Refusal): void {
    this.#telemetry.add('receiver_refused_requests_total', 1, { ...this.#labels, outcome });
  }

  #answer(encoding: SpanEncoding, bytes: Uint8Array): Taken | Refused {
    try {
      const said = this.#consume(encoding, bytes);
      switch (said.kind) {
        case 'accepted':
          this.#telemetry.add('receiver_accepted_spans_total', said.accepted, this.#labels);
          if (said.rejected === 0 && said.message === '') return { kind: 'taken', outcome: 'accepted', rejected: 0, message: '' };
          return { kind: 'taken', outcome: 'partial', rejected: said.rejected, message: said.message };
        case 'malformed':
          return refusal('malformed', said.message);
        case 'unavailable':
          return refusal('overloaded', said.message);
        default:
          return said satisfies never;
      }
    } catch (error) {
      // Stage A promises not to throw; should it do so, one request is lost and not the process.
      this.#telemetry.log.error({ ...this.#labels, error: String(error) }, 'a request made stage A fail');
      return refusal('internal');
    }
  }
}
