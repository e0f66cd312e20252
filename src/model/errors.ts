/** The two kinds of thrown error: trying again may help, or it never will. */

/** Something outside failed in passing. */
export class RetryableError extends Error {
  readonly code: string;
  /** How long the other side asked us to wait, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = 'RetryableError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The same input will fail the same way again. */
export class PermanentError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options: { cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'PermanentError';
    this.code = code;
  }
}
