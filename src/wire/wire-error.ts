/** Bytes that are no record of ours. */

export interface WireError {
  readonly kind: 'malformed';
  /** The field that could not be read. */
  readonly field: string;
  /** Where in the record. */
  readonly offset: number;
  readonly message: string;
}

export function isWireError(value: object): value is WireError {
  return 'kind' in value && value.kind === 'malformed';
}

/** `series: 300 at byte 17: expected …`, for logs. */
export function wireErrorText({ field, offset, message }: WireError): string {
  return `${field} at byte ${offset}: ${message}`;
}
