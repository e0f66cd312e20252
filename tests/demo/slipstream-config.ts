/** The demo's configuration: the files of `config/` with the ports, folder and addresses of this run. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Document, parseDocument } from 'yaml';
import type { Ports } from './slipstream.ts';

const TEMPLATES = fileURLToPath(new URL('config/', import.meta.url));
const PROCESS = 'slipstream.yaml';
const SLOS = 'slos.yaml';

/** Writes what `serve` needs into `folder` and returns the path of the process's file. */
export async function writeConfig(folder: string, ports: Ports, webhookUrl: string): Promise<string> {
  const config = await template();
  config.setIn(['receivers', 'otlpGrpc', 'port'], ports.grpc);
  config.setIn(['receivers', 'otlpHttp', 'port'], ports.http);
  config.setIn(['api', 'port'], ports.api);
  config.setIn(['state', 'directory'], join(folder, 'state'));
  config.setIn(['sinks', 0, 'url'], webhookUrl);
  return written(config, join(folder, PROCESS), join(folder, SLOS));
}

/** Writes what two processes need that share the work over Kafka, and returns the paths of their files. */
export async function writeKafkaConfig(
  folder: string,
  ports: Ports,
  webhookUrl: string,
  broker: string,
): Promise<{ readonly ingest: string; readonly evaluate: string }> {
  const kafka = { brokers: [broker], partitions: 4, replicationFactor: 1, sessionTimeout: '6s' };
  const shared = async (): Promise<Document> => {
    const config = await template();
    config.set('kafka', config.createNode(kafka));
    config.setIn(['state', 'directory'], join(folder, 'state'));
    config.setIn(['receivers', 'otlpGrpc'], config.createNode({ enabled: false }));
    config.setIn(['receivers', 'otlpHttp'], config.createNode({ enabled: false }));
    config.setIn(['sinks', 0, 'url'], webhookUrl);
    return config;
  };
  const ingest = await shared();
  ingest.setIn(['receivers', 'kafka'], ingest.createNode({ enabled: true, from: 'earliest' }));
  const evaluate = await shared();
  evaluate.setIn(['api', 'port'], ports.api);
  return {
    ingest: await written(ingest, join(folder, 'ingest.yaml'), join(folder, SLOS)),
    evaluate: await written(evaluate, join(folder, 'evaluate.yaml'), join(folder, SLOS)),
  };
}

/**
 * Writes what `replay` needs next to a recording and returns the path of the process's file. A sink of the same name that only prints stands for
 * the webhook, whose secret was of that run alone.
 */
export async function writeReplayConfig(recordFile: string): Promise<string> {
  const config = await template();
  config.setIn(['sinks', 0], { type: 'print', name: config.getIn(['sinks', 0, 'name']) });
  const slosFile = `${recordFile}.${SLOS}`;
  config.setIn(['slos', 0], basename(slosFile));
  return written(config, `${recordFile}.${PROCESS}`, slosFile);
}

async function template(): Promise<Document> {
  return parseDocument(await readFile(join(TEMPLATES, PROCESS), 'utf8'));
}

async function written(config: Document, processFile: string, slosFile: string): Promise<string> {
  await writeFile(processFile, String(config));
  await copyFile(join(TEMPLATES, SLOS), slosFile);
  return processFile;
}
