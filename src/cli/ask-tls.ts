/** `--ca`: whom a command that asks trusts, besides or instead of those that Node.js trusts. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { PermanentError } from '../model/errors.ts';
import { type Fetch, fetchOver } from '../tls/client-tls.ts';
import type { CliContext } from './context.ts';

const CA_ENV = 'SLIPSTREAM_CA_FILE';

export function withCaOption(command: Command): Command {
  return command.option('--ca <file>', `certificates (PEM) that signed that of an https server (or ${CA_ENV})`);
}

/** PEM of `--ca` or the environment; undefined: Node.js's own. Throws PermanentError when the file is none. */
export function caOf({ env }: Pick<CliContext, 'env'>, file: string | undefined): string | undefined {
  const path = file ?? (env[CA_ENV] || undefined);
  return path === undefined ? undefined : pemFile(path, file === undefined ? CA_ENV : '--ca');
}

/** `named`: by which option or variable, for messages. */
export function pemFile(path: string, named: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new PermanentError('pem', `reading ${path} of ${named}`, { cause });
  }
  if (!/-----BEGIN [A-Z0-9 ]+-----/.test(text)) throw new PermanentError('pem', `reading ${path} of ${named}: no PEM in this file`);
  return text;
}

/** `fetch` for a server at `url`. */
export function fetchFor(url: string, ca: string | undefined): Fetch {
  return ca === undefined || !url.startsWith('https:') ? fetch : fetchOver({ ca, isChecked: true });
}
