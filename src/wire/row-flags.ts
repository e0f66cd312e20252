/** The low bits of a row's head in a record of deltas; its count is above them. */

/** Weights follow: some span stands for more than one. */
export const WEIGHTED = 1;
/** The trace of the slowest span follows, or of the failed one that came last. */
export const SLOWEST = 2;
export const FAILED_TRACE = 4;
/** Durations of traces are doubles: one is no whole number of ns. */
export const ODD_DURATIONS = 8;
export const FLAG_VALUES = 16;
