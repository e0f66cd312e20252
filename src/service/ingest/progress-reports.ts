/** Reports of progress, one to every partition of the topic of deltas: whoever judges from one of them hears of all sources. */
import type { OutRecord } from '../../kafka/out-record.ts';
import type { PlainWriter } from '../../kafka/plain-writer.ts';
import type { ProgressReport, SourceGap, SourceProgress } from '../../model/source-progress.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { encodeProgress } from '../../wire/progress-record.ts';
import type { DeltaTopic } from './delta-records.ts';

export interface ProgressReportsParts {
  readonly member: string;
  readonly deltas: DeltaTopic;
  readonly writer: PlainWriter;
  readonly telemetry: Telemetry;
  /** Of what is committed. */
  progress(): readonly SourceProgress[];
  expected(): readonly string[];
}

export class ProgressReports {
  readonly #parts: ProgressReportsParts;
  #sending: Promise<boolean> | null = null;
  #failures = 0;

  constructor(parts: ProgressReportsParts) {
    this.#parts = parts;
  }

  /** What is known now, with these gaps: to be sent in the transaction that goes on behind them. */
  records(gaps: readonly SourceGap[]): OutRecord[] {
    const { member, deltas, progress, expected } = this.#parts;
    const report: ProgressReport = { member, progress: progress(), expected: expected(), gaps };
    const value = encodeProgress(report);
    return Array.from({ length: deltas.partitions }, (_, partition) => ({ topic: deltas.topic, partition, key: null, value }));
  }

  /**
   * Sends one, unless the last is still under way: the next one says more. It comes to stand behind the deltas that it speaks of, as those are in the log
   * when their transaction is committed. Never rejects; false when it was not sent.
   */
  send(): Promise<boolean> {
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  /** Sends one that says what is known now, whatever is under way. */
  async sendLast(): Promise<boolean> {
    await this.#sending;
    return this.send();
  }

  async #send(): Promise<boolean> {
    const { writer, telemetry } = this.#parts;
    try {
      await writer.write(this.records([]));
      this.#failures = 0;
      return true;
    } catch (error) {
      telemetry.add('ingest_report_failures_total', 1);
      if (this.#failures++ === 0) telemetry.log.warn({ error: String(error) }, 'progress cannot be told; judging waits until it can');
      return false;
    }
  }
}
