/** Reads the body of a request, of a bounded size, and tells what is wrong with one that is no JSON. */

/**
 * The text of the body, null when it is larger than `maxBytes` (of which no more than that is read). An absent body is the empty string.
 * hono's own middleware makes a `Request` of the request, which fails on those of its server that are not the process's own class.
 */
export async function boundedText(request: Request, maxBytes: number): Promise<string | null> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return null;
  if (request.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export type ParsedBody = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly detail: string };

/** A `__proto__` is refused: dropping it in silence would make a matcher match more than was asked for. */
export function parsedJson(text: string): ParsedBody {
  if (text.trim() === '') return { ok: false, detail: 'the body is empty; it must be a JSON object' };
  try {
    const value: unknown = JSON.parse(text);
    return hasPrototypeKey(value) ? { ok: false, detail: 'the body has a key __proto__, which cannot be' } : { ok: true, value };
  } catch (error) {
    return { ok: false, detail: `the body is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Looks without calling itself, for the body may be nested as deep as it is long, and without a reviver, which takes fifty times as long as reading. */
function hasPrototypeKey(value: unknown): boolean {
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    if (Object.hasOwn(next, '__proto__')) return true;
    for (const inner of Array.isArray(next) ? next : Object.values(next)) {
      if (typeof inner === 'object' && inner !== null) open.push(inner);
    }
  }
  return false;
}
