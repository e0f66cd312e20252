/** How checks are called, in judgements and verdicts alike. */

/** The endpoint name of checks across the whole service. */
export const ALL_ENDPOINTS = '(all)';

/** `p99 POST /checkout`. */
export function checkName(metric: string, endpoint: string): string {
  return `${metric} ${endpoint}`;
}
