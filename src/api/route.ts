/** What a route is made of: the tables of routes are written in these words. */
import type { z } from 'zod';
import * as schemas from './schemas.ts';

/** Something a response may be: JSON of a named schema, or text of a type. */
type Content = { readonly schema: z.ZodType } | { readonly type: string };

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly summary: string;
  readonly mutates?: boolean;
  /** It changes something too, for callers that can send no header: the responder looks for the token in the body. */
  readonly tokenInBody?: boolean;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** `application/json` when absent. */
  readonly bodyType?: string;
  /** By status; problems that any request may meet are added in one place. */
  readonly responses: Readonly<Record<number, { readonly description: string; readonly content?: Content }>>;
}

export const json = (description: string, schema: z.ZodType) => ({ description, content: { schema } });
export const text = (description: string, type: string) => ({ description, content: { type } });
export const problem = (description: string) => json(description, schemas.problem);
