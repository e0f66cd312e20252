/** Odds ratios that are told apart; the ends stand for themselves and all beyond. */
export const LOWEST_ODDS = 1 / 16;
export const HIGHEST_ODDS = 64;
