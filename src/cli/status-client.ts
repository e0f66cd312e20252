/** Asks a running Slipstream for its status, and says in one sentence why there is none. */
import { problem, type StatusWire, status } from '../api/schemas.ts';
import { PermanentError, RetryableError } from '../model/errors.ts';

/** Where a Slipstream is asked when nobody says where. */
export const DEFAULT_API_URL = 'http://127.0.0.1:8080';

const TIMEOUT_MS = 10_000;

/** Throws with a message for people. */
export async function fetchedStatus(options: {
  readonly url: string;
  readonly window: string;
  readonly service?: string;
}): Promise<StatusWire> {
  const { url, window, service } = options;
  const query = new URLSearchParams({ window, ...(service === undefined ? {} : { service }) });
  const answer = await fetch(`${url}/v1/status?${query}`, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    (cause: unknown) => {
      throw new RetryableError('unreachable', `asking ${url} for its status: ${reachText(cause)}; is \`slipstream serve\` running there?`);
    },
  );
  const body: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) {
    const said = problem.safeParse(body);
    throw new PermanentError(
      'refused',
      `asking ${url} for its status: ${answer.status} ${said.success ? said.data.detail : answer.statusText}`,
    );
  }
  const read = status.safeParse(body);
  if (!read.success)
    throw new PermanentError('not_slipstream', `asking ${url} for its status: the answer is not that of a Slipstream of this version`);
  return read.data;
}

const CODE_TEXT: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection closed before the answer'],
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'no such host'],
]);

function reachText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  // fetch says "fetch failed"; its cause says why.
  const code = cause.cause instanceof Error && 'code' in cause.cause ? String(cause.cause.code) : null;
  if (code === null) return cause.message;
  return CODE_TEXT.get(code) ?? code;
}
