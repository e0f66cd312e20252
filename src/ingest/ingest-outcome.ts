/** What becomes of one request of spans. */

/** Decoded whole and counted, or refused whole. */
export type IngestOutcome =
  | { readonly kind: 'accepted'; readonly accepted: number; readonly rejected: number; readonly message: string }
  | { readonly kind: 'malformed'; readonly message: string };
