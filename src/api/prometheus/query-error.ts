/** A query that is not answered: why, in the words and with the status that clients of Prometheus know. */

/** Source: Prometheus, "HTTP API", format overview. */
export type QueryErrorType = 'bad_data' | 'execution' | 'timeout' | 'unavailable' | 'internal';

const STATUS: Readonly<Record<QueryErrorType, number>> = { bad_data: 400, execution: 422, timeout: 503, unavailable: 503, internal: 500 };

export class QueryError extends Error {
  readonly type: QueryErrorType;

  constructor(type: QueryErrorType, message: string) {
    super(message);
    this.type = type;
  }

  get status(): number {
    return STATUS[this.type];
  }
}

/** What is wrong at a place of the query, which is told by line and column, both from 1. */
export function parseError(query: string, at: number, message: string): QueryError {
  const before = query.slice(0, at).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return new QueryError('bad_data', `invalid parameter "query": ${before.length}:${column}: parse error: ${message}`);
}
