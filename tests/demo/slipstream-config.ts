/** The demo's configuration: the files of `config/` with the ports, folder and addresses of this run. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import type { Ports } from './slipstream.ts';

const TEMPLATES = fileURLToPath(new URL('config/', import.meta.url));
const SLOS = 'slos.yaml';

/** Writes them into `folder` and returns the path of the process's file. */
export async function writeConfig(folder: string, ports: Ports, webhookUrl: string): Promise<string> {
  const config = parseDocument(await readFile(join(TEMPLATES, 'slipstream.yaml'), 'utf8'));
  config.setIn(['receivers', 'otlpGrpc', 'port'], ports.grpc);
  config.setIn(['receivers', 'otlpHttp', 'port'], ports.http);
  config.setIn(['api', 'port'], ports.api);
  config.setIn(['state', 'directory'], join(folder, 'state'));
  config.setIn(['sinks', 0, 'url'], webhookUrl);
  const file = join(folder, 'slipstream.yaml');
  await writeFile(file, String(config));
  await copyFile(join(TEMPLATES, SLOS), join(folder, SLOS));
  return file;
}
