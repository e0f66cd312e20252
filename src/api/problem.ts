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
    detail: errors.map(({ pointer, detail }) => (pointer === '' ? `the body ${detail}` : `${pointer}: ${detail}`)).join('; '),
    errors,
  };
}

function fieldErrors(issue: z.core.$ZodIssue, where: 'body' | 'query'): FieldError[] {
  const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
  const detail = issue.code === 'unrecognized_keys' ? 'is not a known field' : issueText(issue);
  return paths
    .slice(0, MAX_ERRORS)
    .map((path) => ({ pointer: where === 'query' ? `?${path.map(String).join('.')}` : pointer(path), detail }));
}

const KIND_TEXT: Readonly<Record<string, string>> = {
  record: 'an object of resource attributes, like {"service.version":"1.5.0"}',
  object: 'an object',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
};

/** The messages of the schemas, and the library's own for wrong types and sizes in the words of this API. */
function issueText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `${issue.input === undefined && / undefined$/.test(issue.message) ? 'is missing; it ' : ''}must be ${KIND_TEXT[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return issue.origin === 'string'
        ? 'must not be empty'
        : `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`;
    case 'invalid_key':
      return 'is no name of an attribute: 1 to 256 characters';
    default:
      return issue.message;
  }
}

/** RFC 6901. */
function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
