/** Refusals as RFC 9457 problem documents that name the field at fault. */
import type { z } from 'zod';

export interface FieldError {
  /** JSON pointer into the body (`/canary/service.version`), or `?name` of a query parameter. */
  readonly pointer: string;
  readonly detail: string;
}

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
}

const CONTENT_TYPE = 'application/problem+json';
const MAX_ERRORS = 20;

export function problemResponse(problem: Problem): Response {
  const { status, title, detail, errors, headers } = problem;
  const body = { type: 'about:blank', title, status, detail, ...(errors === undefined ? {} : { errors }) };
  return new Response(JSON.stringify(body), { status, headers: { ...headers, 'content-type': CONTENT_TYPE } });
}

/** What zod found, as a 400 with one entry per field. */
export function invalidRequest(error: z.ZodError, where: 'body' | 'query'): Problem {
  const errors = error.issues.slice(0, MAX_ERRORS).flatMap((issue) => fieldErrors(issue, where));
  return {
    status: 400,
    title: 'Invalid request',
    detail: errors.map((entry) => `${entry.pointer}: ${entry.detail}`).join('; '),
    errors,
  };
}

function fieldErrors(issue: z.core.$ZodIssue, where: 'body' | 'query'): FieldError[] {
  const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
  const detail = issue.code === 'unrecognized_keys' ? 'is not a known field' : issue.message;
  return paths
    .slice(0, MAX_ERRORS)
    .map((path) => ({ pointer: where === 'query' ? `?${path.map(String).join('.')}` : pointer(path), detail }));
}

/** RFC 6901. */
function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
