/** The JSON body of a request, held against its schema. */
import type { z } from 'zod';
import { invalidRequest, problemResponse } from './problem.ts';
import { boundedText, parsedJson } from './request-body.ts';

const MAX_BODY_BYTES = 1024 * 1024;

export type CheckedBody<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly response: Response };

/** Either what was sent, as the schema makes it, or the response that says what is wrong with it. */
export async function checkedBody<Schema extends z.ZodType>(request: Request, schema: Schema): Promise<CheckedBody<z.output<Schema>>> {
  const text = await boundedText(request, MAX_BODY_BYTES);
  if (text === null) return refused({ status: 413, title: 'Content too large', detail: `the body is larger than ${MAX_BODY_BYTES} bytes` });
  const body = parsedJson(text);
  if (!body.ok) return refused({ status: 400, title: 'Invalid request', detail: body.detail });
  const checked = schema.safeParse(body.value);
  return checked.success ? { ok: true, value: checked.data } : refused(invalidRequest(checked.error, 'body'));
}

function refused(problem: Parameters<typeof problemResponse>[0]): { readonly ok: false; readonly response: Response } {
  return { ok: false, response: problemResponse(problem) };
}
