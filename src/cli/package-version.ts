/** The version of this program, from the one place that knows it. */
import { readFileSync } from 'node:fs';

/** Both `src/cli` and `dist/cli` lie two folders below `package.json`. */
export const VERSION: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
