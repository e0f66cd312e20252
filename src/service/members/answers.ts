/** Reads what other members answered, and passes it on. */
import { PARTITIONS_HEADER } from './peer-client.ts';

const MAX_BYTES = 32 * 1024 * 1024;
/** What callers of the API look at. The rest is between members, or of one connection. */
const PASSED_BACK = ['content-type', 'location', 'retry-after', 'www-authenticate', 'allow', 'accept'];

/** The partitions that an answer is about; none of an answer that does not say. */
export function partitionsOf(answer: Response): ReadonlySet<number> {
  const told = answer.headers.get(PARTITIONS_HEADER) ?? '';
  return new Set(
    told
      .split(',')
      .filter((text) => /^\d{1,6}$/.test(text))
      .map(Number),
  );
}

/** The same answer for the caller, read as he reads it. */
export function passedOn(answer: Response): Response {
  const headers = new Headers();
  for (const name of PASSED_BACK) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(answer.body, { status: answer.status, headers });
}

/** Its JSON; null when it breaks off, is too large, or is none. */
export async function jsonOf(answer: Response): Promise<unknown> {
  try {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of answer.body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) return null;
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return null;
  }
}

/** Lets go of an answer that nobody reads. */
export async function dropped(answer: Response | null): Promise<void> {
  await answer?.body?.cancel().catch(() => undefined);
}
