/** `--ca`: whom a command that asks trusts, besides those that Node.js trusts. */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Command } from 'commander';
import { PermanentError } from '../model/errors.ts';
import type { CliContext } from './context.ts';

const CA_ENV = 'SLIPSTREAM_CA_FILE';

/** Everything the process asks from then on, gRPC included, trusts them: as with NODE_EXTRA_CA_CERTS. */
export function withCaOption(command: Command, { env }: Pick<CliContext, 'env'>): Command {
  command.option('--ca <file>', `certificates (PEM) to trust besides the usual ones, for https (or ${CA_ENV})`);
  return command.hook('preAction', (_command, acting) => {
    const { ca } = acting.opts<{ readonly ca?: string }>();
    const path = ca ?? (env[CA_ENV] || undefined);
    if (path === undefined) return;
    try {
      setDefaultCACertificates([...getCACertificates('default'), pemFile(path, ca === undefined ? CA_ENV : '--ca')]);
    } catch (cause) {
      throw cause instanceof PermanentError ? cause : new PermanentError('pem', `trusting ${path}`, { cause });
    }
  });
}

/** `named`: by which option or variable, for messages. */
export function pemFile(path: string, named: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new PermanentError('pem', `reading ${path}, named by ${named}`, { cause });
  }
  if (!/-----BEGIN [A-Z0-9 ]+-----/.test(text)) throw new PermanentError('pem', `reading ${path}, named by ${named}: no PEM in this file`);
  return text;
}
