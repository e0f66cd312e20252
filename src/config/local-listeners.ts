/** Where the process of a configuration file listens on this machine, for those that ask whether it is well. */
import { dirname } from 'node:path';
import { PermanentError } from '../model/errors.ts';
import { checkDocument } from './check-document.ts';
import type { TlsFiles } from './config.ts';
import { renderProblems } from './problem.ts';
import { processSchema } from './process-schema.ts';
import { type Environment, readSecret, tokensOf } from './read-secret.ts';
import { Secret } from './secret.ts';
import { parseSource, readText } from './source-files.ts';
import { tlsFiles } from './tls-schema.ts';

export interface LocalListener {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | null;
}

export interface LocalListeners {
  readonly api: LocalListener;
  /** Null: switched off. */
  readonly otlpGrpc: LocalListener | null;
  readonly otlpHttp: LocalListener | null;
  /** The first that senders may present; null: none is asked, or it cannot be read here. */
  readonly token: Secret | null;
}

/**
 * Only the sections `api` and `receivers` are read: SLO files, sinks and other secrets may be wrong by now, and the process goes on with what it has.
 * Throws PermanentError when these two cannot be read.
 */
export function localListeners(path: string, env: Environment): LocalListeners {
  const source = parseSource(readText(path));
  const document = source.documents.find(({ value }) => typeof value === 'object' && value !== null && !('apiVersion' in value));
  if (document === undefined) throw unreadable(renderProblems(source.problems) || `${path}: no process document in this file`);
  const { api, receivers } = document.value as { readonly api?: unknown; readonly receivers?: unknown };
  const sections = { ...(api !== undefined && { api }), ...(receivers !== undefined && { receivers }) };
  const { value, problems } = checkDocument(processSchema, { ...document, value: sections });
  if (value === null) throw unreadable(renderProblems(problems));
  const base = dirname(path);
  const { otlpGrpc, otlpHttp, token, tls } = value.receivers;
  const secret = token === undefined ? null : readSecret(token, base, env);
  const otlp = ({ enabled, host, port }: typeof otlpGrpc | typeof otlpHttp): LocalListener | null =>
    enabled ? { host, port, tls: tlsFiles(tls, base) } : null;
  return {
    api: { host: value.api.host, port: value.api.port, tls: tlsFiles(value.api.tls, base) },
    otlpGrpc: otlp(otlpGrpc),
    otlpHttp: otlp(otlpHttp),
    token: secret instanceof Secret ? (tokensOf(secret)[0] ?? null) : null,
  };
}

function unreadable(problems: string): PermanentError {
  return new PermanentError('configuration', `where to ask cannot be read:\n${problems.trimEnd()}`);
}
