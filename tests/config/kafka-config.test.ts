/** What a process file says of Kafka: defaults, files, secrets, and mistakes that no schema sees. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { configOf, loadConfig } from '../../src/config/load-config.ts';
import { renderProblems } from '../../src/config/problem.ts';
import { readSnapshot } from '../../src/config/source-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipstream-kafka-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN PRIVATE KEY-----\ncorrect-horse\n-----END PRIVATE KEY-----\n';
for (const [name, text] of [
  ['ca.pem', PEM],
  ['cert.pem', PEM],
  ['key.pem', KEY],
  ['empty.pem', 'hello'],
] as const)
  writeFileSync(join(folder, name), text);

let written = 0;
function load(text: string, env: Record<string, string> = {}) {
  const path = join(folder, `${written++}.yaml`);
  writeFileSync(path, text);
  return loadConfig(path, env);
}

function loaded(text: string, env: Record<string, string> = {}): Config {
  const result = load(text, env);
  if ('problems' in result) throw new Error(renderProblems(result.problems));
  return result.config;
}

function problems(text: string): [string, string][] {
  const result = load(text);
  return 'problems' in result ? result.problems.map(({ path, message }) => [path, message]) : [];
}

const LOCAL = 'kafka: { brokers: [127.0.0.1:9092] }\n';

describe('Kafka in a process file', () => {
  it('is nothing unless brokers are named, and nothing is read unless a receiver is switched on', () => {
    const plain = loaded('{}');
    expect([plain.kafka, plain.receivers.kafka]).toEqual([null, null]);
    const named = loaded(LOCAL);
    expect(named.receivers.kafka).toBeNull();
    expect(named.kafka).toEqual({
      brokers: ['127.0.0.1:9092'],
      clientId: 'slipstream',
      tls: null,
      sasl: null,
      sessionTimeoutMs: 10_000,
      topics: {
        deltas: 'slipstream.deltas',
        state: 'slipstream.state',
        control: 'slipstream.control',
        quarantine: 'slipstream.quarantine',
      },
      groups: { ingest: 'slipstream-ingest', evaluate: 'slipstream-evaluate' },
      createTopics: true,
      partitions: 32,
      replicationFactor: -1,
      flushMs: 1_000,
      waitForSourceMs: 120_000,
    });
  });

  it('reads what the exporter of a Collector writes by default, from now on', () => {
    expect(loaded(`${LOCAL}receivers: { kafka: { enabled: true } }\n`).receivers.kafka).toEqual({
      topics: ['otlp_spans'],
      group: 'slipstream',
      encoding: 'otlp_proto',
      from: 'latest',
      maxBytesPerPartition: 2 ** 20,
    });
  });

  it('takes a pattern for topics that come and go, of which the whole name must match', () => {
    const { receivers } = loaded(`${LOCAL}receivers: { kafka: { enabled: true, topics: ["^spans\\\\.(eu|us)-.*$"] } }\n`);
    const pattern = receivers.kafka?.topics as RegExp;
    expect(['spans.eu-1', 'spans.us-', 'xspans.eu-1', 'spans-eu-1', 'spans.ap-1'].map((name) => pattern.test(name))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('reads certificates and keys from files beside it, and shows neither the key nor the password', () => {
    const config = loaded(
      'kafka:\n  brokers: [k.example.com:9093]\n  tls: { caFile: ca.pem, certFile: cert.pem, keyFile: key.pem, serverName: k }\n' +
        '  sasl: { mechanism: scram-sha-512, username: u, password: { env: PASSWORD } }\n',
      { PASSWORD: 'correct-horse-battery' },
    );
    expect(config.kafka?.tls).toMatchObject({ ca: PEM, cert: PEM, serverName: 'k' });
    expect(config.kafka?.tls?.key?.reveal()).toBe(KEY);
    expect(config.kafka?.sasl?.password.reveal()).toBe('correct-horse-battery');
    expect(inspect(config, { depth: 10 }) + JSON.stringify(config)).not.toContain('correct-horse');
  });

  it('is checked without files and secrets where these are not at hand', () => {
    const path = join(folder, 'elsewhere.yaml');
    writeFileSync(
      path,
      'kafka: { brokers: [k.example.com:9092], tls: { caFile: absent.pem }, sasl: { mechanism: plain, username: u, password: { env: NOWHERE } } }\n',
    );
    expect(configOf(readSnapshot(path), null)).toMatchObject({ config: { kafka: { tls: { ca: undefined } } } });
  });

  it('says under which address others reach the API', () => {
    expect(loaded('api: { advertisedUrl: "http://10.0.0.7:8080/" }\n').api.advertisedUrl).toBe('http://10.0.0.7:8080');
  });

  it.each([
    ['brokers: [kafka://a:9092]', 'kafka.brokers[0]', 'a broker is no URL'],
    ['brokers: [a:70000]', 'kafka.brokers[0]', 'there is no such port'],
    ['brokers: [a:9092]', 'kafka.brokers[0]', 'nothing protects what goes to this broker'],
    ['brokers: [127.0.0.1:9092], tls: { caFile: absent.pem }', 'kafka.tls.caFile', 'does not exist'],
    ['brokers: [127.0.0.1:9092], tls: { caFile: empty.pem }', 'kafka.tls.caFile', 'no PEM in this file'],
    ['brokers: [127.0.0.1:9092], tls: { certFile: cert.pem }', 'kafka.tls', '`certFile` and `keyFile` go together'],
    ['brokers: [127.0.0.1:9092], sessionTimeout: 5s', 'kafka.sessionTimeout', 'shorter than 6s'],
    ['brokers: [127.0.0.1:9092], sessionTimeout: 6m', 'kafka.sessionTimeout', 'longer than 5m'],
    ['brokers: [127.0.0.1:9092], replicationFactor: 0', 'kafka.replicationFactor', 'nothing would be kept'],
    ['brokers: [127.0.0.1:9092], topics: { deltas: "a b" }', 'kafka.topics.deltas', 'has the wrong form'],
    ['brokers: [127.0.0.1:9092], groups: { ingest: x, evaluate: x }', 'kafka.groups.evaluate', 'both roles cannot be one group'],
  ])('is refused with its place: %s', (kafka, path, message) => {
    expect(problems(`kafka: { ${kafka} }\n`)).toEqual([[path, expect.stringContaining(message)]]);
  });

  it.each([
    ['[a, "^b$"]', 'receivers.kafka.topics[1]', 'a pattern stands alone'],
    ['["a b"]', 'receivers.kafka.topics[0]', 'not the name of a topic'],
    ['[".."]', 'receivers.kafka.topics[0]', 'not the name of a topic'],
    ['["^(?=a)b$"]', 'receivers.kafka.topics[0]', 'cannot be part of it'],
    ['["^(a)\\\\1$"]', 'receivers.kafka.topics[0]', 'cannot be part of it'],
    ['["^.*.*.*.*$"]', 'receivers.kafka.topics[0]', 'more than can be matched quickly'],
    ['["^(a$"]', 'receivers.kafka.topics[0]', 'not a pattern'],
    ['["^slipstream.*$"]', 'kafka.topics.deltas', 'spans are read from `slipstream.deltas`, too'],
  ])('of topics %s are refused', (topics, path, message) => {
    const [first] = problems(`${LOCAL}receivers: { kafka: { enabled: true, topics: ${topics} } }\n`);
    expect(first).toEqual([path, expect.stringContaining(message)]);
  });

  it('speaks to brokers on other machines without TLS when it is told that this is safe', () => {
    expect(loaded('kafka: { brokers: [a:9092], insecureNonLoopback: true }\n').kafka?.brokers).toEqual(['a:9092']);
  });
});
