/** Hands a request's bytes to stage A, turns what it says into an answer, and counts both. */
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type Refusal, type Refused, refusal, type Taken } from './outcome-table.ts';
import type { Consume, ConsumeNow, ConsumeOutcome, SpanEncoding, Transport } from './receiver.ts';

type Answer = Taken | Refused;
type AnswerTo<Said> = Said extends Promise<unknown> ? Promise<Answer> : Answer;

/** One per receiver and start. */
export class Intake<C extends Consume = ConsumeNow> {
  readonly #consume: C;
  readonly #telemetry: Telemetry;
  readonly #labels: { readonly transport: Transport };

  constructor(transport: Transport, consume: C, telemetry: Telemetry) {
    this.#labels = { transport };
    this.#consume = consume;
    this.#telemetry = telemetry;
  }

  /** Inflated bytes in, answer out: at once, or later where stage A says later what it has to say. Neither throws nor rejects. */
  take(encoding: SpanEncoding, bytes: Uint8Array): AnswerTo<ReturnType<C>> {
    return this.#take(encoding, bytes) as AnswerTo<ReturnType<C>>;
  }

  /** Counts a request that stage A never saw. */
  refused(outcome: Refusal): void {
    this.#telemetry.add('receiver_refused_requests_total', 1, { ...this.#labels, outcome });
  }

  #take(encoding: SpanEncoding, bytes: Uint8Array): Answer | Promise<Answer> {
    this.#telemetry.add('receiver_bytes_total', bytes.length, this.#labels);
    try {
      const said = this.#consume(encoding, bytes);
      if (!(said instanceof Promise)) return this.#counted(this.#answer(said));
      return said.then((late) => this.#counted(this.#answer(late)));
    } catch (error) {
      // Stage A promises not to throw; should it do so, one request is lost and not the process.
      this.#telemetry.log.error({ ...this.#labels, error: String(error) }, 'a request made stage A fail');
      return this.#counted(refusal('internal'));
    }
  }

  #counted(answer: Answer): Answer {
    if (answer.kind === 'taken') this.#telemetry.add('receiver_requests_total', 1, this.#labels);
    else this.refused(answer.outcome);
    return answer;
  }

  #answer(said: ConsumeOutcome): Answer {
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
  }
}
