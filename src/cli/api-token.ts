/** The token that changes need: named by an option, taken from the environment, never shown. */
import type { Command } from 'commander';
import { PermanentError } from '../model/errors.ts';
import type { Change } from './api-client.ts';
import type { CliContext } from './context.ts';

/** Where the token of changes is, when nobody says. */
const TOKEN_ENV = 'SLIPSTREAM_API_TOKEN';

export function withTokenOption(command: Command): Command {
  return command.option('--token-env <name>', `environment variable with the token of the API (default: ${TOKEN_ENV})`);
}

/** The value never gets into a message. */
export function tokenOf({ env }: Pick<CliContext, 'env'>, name: string | undefined): string | null {
  const token = env[name ?? TOKEN_ENV];
  if (token === undefined || token === '') {
    if (name === undefined) return null;
    throw new PermanentError('no_token', `reading the token: the environment variable ${name} is not set`);
  }
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new PermanentError('no_token', `reading the token: what is in ${name ?? TOKEN_ENV} has characters no HTTP header can carry`);
  return token;
}

/** What is answered to a change without a token, or with a wrong one, says where it is looked for. */
export async function changed<Answer>(tokenEnv: string | undefined, question: Promise<Answer>): Promise<Answer> {
  return question.catch((error: unknown) => {
    if (!(error instanceof PermanentError) || !error.message.includes(': 401 ')) throw error;
    throw new PermanentError(error.code, `${error.message}; it is taken from the environment variable ${tokenEnv ?? TOKEN_ENV}`, {
      cause: error.cause,
    });
  });
}

/** A change as it is asked for, with the token. */
export function changeOf(
  context: CliContext,
  options: { readonly tokenEnv?: string | undefined },
  change: Pick<Change, 'method' | 'body'>,
): Change {
  return { ...change, token: tokenOf(context, options.tokenEnv) };
}
