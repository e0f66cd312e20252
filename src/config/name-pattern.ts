/** What names of sinks and objectives may look like: they go into ids, labels and file names. */
export const NAME_PATTERN = /^[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
export const NAME_EXPECTED = 'letters, digits, `-`, `_` and `.`, at most 63';
