/** The endpoints that an OpenAPI 3.x file lists, named as spans name them. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { PermanentError } from '../model/errors.ts';

/** Source: OpenAPI 3.1.1, path item object. */
const METHODS: ReadonlySet<string> = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);
/** Far more than any API has. */
const MAX_BYTES = 16 * 2 ** 20;

export interface OpenApiEndpoint {
  /** `GET /orders/{id}`. */
  readonly endpoint: string;
  /** The same below the path of each server (`GET /api/v1/orders/{id}`): frameworks name routes with or without it. */
  readonly aliases: readonly string[];
}

/** Ascending by path, methods as in the file. Throws PermanentError `openapi` when it is no OpenAPI 3.x file, YAML or JSON, or lists nothing. */
export async function openApiEndpoints(path: string): Promise<readonly OpenApiEndpoint[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PermanentError('openapi', `reading ${path}`, { cause });
  });
  if (text.length > MAX_BYTES) throw new PermanentError('openapi', `reading ${path}: more than ${MAX_BYTES} characters`);
  const document = parsed(text, path);
  const version = isRecord(document) ? document.openapi : undefined;
  if (!isRecord(document) || typeof version !== 'string' || !/^3\./.test(version)) {
    throw new PermanentError('openapi', `reading ${path}: not an OpenAPI 3.x file, which begins with \`openapi: 3…\``);
  }
  const bases = basesOf(document.servers);
  const endpoints = Object.entries(isRecord(document.paths) ? document.paths : {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([route, item]) =>
      Object.keys(isRecord(item) ? item : {})
        .filter((method) => METHODS.has(method))
        .map((method): OpenApiEndpoint => {
          const name = (base: string) => `${method.toUpperCase()} ${base}${route}`;
          return { endpoint: name(''), aliases: bases.map(name) };
        }),
    );
  if (endpoints.length === 0) throw new PermanentError('openapi', `reading ${path}: \`paths\` lists no endpoint`);
  return endpoints;
}

function parsed(text: string, path: string): unknown {
  try {
    // A file of a pull request may not blow up by aliases.
    return parse(text, { maxAliasCount: 1000, logLevel: 'error' });
  } catch (cause) {
    throw new PermanentError('openapi', `reading ${path}: neither YAML nor JSON`, { cause });
  }
}

/** Paths of the servers, without `/` at the end; a variable in one is a parameter like any other. */
function basesOf(servers: unknown): readonly string[] {
  const urls = Array.isArray(servers) ? servers.map((server) => (isRecord(server) ? server.url : undefined)) : [];
  const paths = urls.flatMap((url) => {
    if (typeof url !== 'string') return [];
    const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '').replace(/\/+$/, '');
    return path.startsWith('/') ? [path] : [];
  });
  return [...new Set(paths)];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
