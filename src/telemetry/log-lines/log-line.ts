/** What is known of a log line before it is written. */

/** `info`: as planned. `warn`: surprising, nothing is lost. `error`: something is lost, or a person is needed. */
export type LineLevel = 'info' | 'warn' | 'error';

export interface LogLine {
  readonly level: LineLevel;
  /** Fields of the line beside `time`, `level` and `msg`; those in brackets are not always there. */
  readonly fields: string;
  /** What has happened, where the message does not say it all; empty: it does. */
  readonly means: string;
  /** What a person does about it; empty: nothing. */
  readonly act: string;
}
