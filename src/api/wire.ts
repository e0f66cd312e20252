/** What all wire forms are made of, and how the compiler holds them against the model. */
import { z } from 'zod';

/** JSON has no NaN and no infinity: such a number is null on the wire. */
export const figure = z.number().nullable();
export const epochMs = z.number().describe('Milliseconds since 1970-01-01T00:00:00Z.');

/** The model's types as JSON can carry them: writable. */
export type Wire<T> = T extends readonly (infer Item)[]
  ? Wire<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Wire<T[Key]> }
    : T;

/** Does not compile when the model has what the schema does not describe truly. */
export type Carries<Schema extends z.ZodType, Value extends z.output<Schema>> = [Schema, Value];
