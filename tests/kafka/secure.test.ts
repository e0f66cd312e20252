/** SASL and TLS against a real broker: with the right ones everything works, with wrong ones it is said what is wrong, and never a password. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, inject, it } from 'vitest';
import type { KafkaConnection } from '../../src/config/kafka-config.ts';
import { Secret } from '../../src/config/secret.ts';
import { BRIEF, kafkaClient } from '../../src/kafka/kafka-client.ts';
import { TransactionalWriter } from '../../src/kafka/transactional-writer.ts';
import { PermanentError, RetryableError } from '../../src/model/errors.ts';
import { freePorts } from '../support/free-ports.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { selfSigned } from '../support/self-signed.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { keysOf, makeTopic, settle } from './writer-support.ts';

const PASSWORD = 'open-sesame-4711';
const server = selfSigned('broker.test');
const member = selfSigned('member.test');
const stranger = selfSigned('stranger.test');

const [PLAIN_PORT = 0, SASL_PORT = 0, SSL_PORT = 0, SASL_SSL_PORT = 0] = await freePorts(4);
const ADMIN = `127.0.0.1:${PLAIN_PORT}`;

/** PEM on one line, as a file of properties has it. */
const line = (pem: string): string => pem.trim().replaceAll('\n', '\\n');
const module = (name: string, rest = ''): string => `org.apache.kafka.common.security.${name} required${rest};`;
const logins = (listener: string) => ({
  [`listener.name.${listener}.plain.sasl.jaas.config`]: module('plain.PlainLoginModule', ` user_alice="${PASSWORD}"`),
  [`listener.name.${listener}.scram-sha-256.sasl.jaas.config`]: module('scram.ScramLoginModule'),
  [`listener.name.${listener}.scram-sha-512.sasl.jaas.config`]: module('scram.ScramLoginModule'),
});

const PROPERTIES = {
  listeners: [
    `PLAINTEXT://${ADMIN}`,
    `SASL_PLAINTEXT://127.0.0.1:${SASL_PORT}`,
    `SSL://127.0.0.1:${SSL_PORT}`,
    `SASL_SSL://127.0.0.1:${SASL_SSL_PORT}`,
    'CONTROLLER://127.0.0.1:0',
  ].join(','),
  'listener.security.protocol.map': ['PLAINTEXT', 'SASL_PLAINTEXT', 'SSL', 'SASL_SSL']
    .map((name) => `${name}:${name}`)
    .concat('CONTROLLER:PLAINTEXT')
    .join(','),
  'inter.broker.listener.name': 'PLAINTEXT',
  'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
  ...logins('sasl_plaintext'),
  ...logins('sasl_ssl'),
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.key': line(server.key),
  'ssl.keystore.certificate.chain': line(server.cert),
  'ssl.truststore.type': 'PEM',
  'ssl.truststore.certificates': line(member.cert),
  'listener.name.ssl.ssl.client.auth': 'required',
};

const tls = { ca: server.cert, cert: undefined, key: undefined, serverName: 'broker.test' };
const withKey = { ...tls, cert: member.cert, key: new Secret(member.key) };
const sasl = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', password = PASSWORD) => ({
  mechanism,
  username: 'alice',
  password: new Secret(password),
});

const connection = (port: number, rest: Partial<KafkaConnection>): KafkaConnection => ({
  brokers: [`127.0.0.1:${port}`],
  clientId: 'secure',
  tls: null,
  sasl: null,
  ...rest,
});

describeKafka(
  'a broker that knows whom it speaks to',
  () => {
    beforeAll(() => {
      const kafka = inject('kafka');
      if ('missing' in kafka) return;
      for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
        const user = ['--entity-type', 'users', '--entity-name', 'alice', '--alter', '--add-config', `${mechanism}=[password=${PASSWORD}]`];
        const options = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', join(kafka.jars, '*')];
        const command = [...options, 'kafka.admin.ConfigCommand', '--bootstrap-server', ADMIN, ...user];
        const { status, stdout, stderr } = spawnSync('java', command, { encoding: 'utf8' });
        if (status !== 0) throw new Error(`making a user: ${stdout}${stderr}`);
      }
    });

    it.each([
      ['a password', connection(SASL_PORT, { sasl: sasl('plain') })],
      ['SCRAM-SHA-256', connection(SASL_PORT, { sasl: sasl('scram-sha-256') })],
      ['SCRAM-SHA-512', connection(SASL_PORT, { sasl: sasl('scram-sha-512') })],
      ['a certificate', connection(SSL_PORT, { tls: withKey })],
      ['a password over TLS', connection(SASL_SSL_PORT, { tls, sasl: sasl('plain') })],
      ['SCRAM-SHA-512 over TLS', connection(SASL_SSL_PORT, { tls, sasl: sasl('scram-sha-512') })],
    ])('takes and gives records by %s', async (name, by) => {
      const topic = name.replaceAll(' ', '-');
      const telemetry = new MemoryTelemetry();
      const client = kafkaClient(by, telemetry, BRIEF);
      await makeTopic(client, topic);
      const writer = new TransactionalWriter({ client, transactionalId: topic, telemetry });
      await writer.claim();
      await writer.write([{ topic, partition: 0, key: name, value: null }]);
      await settle(writer);
      expect(await keysOf(client, { topic, partition: 0 })).toEqual([name]);
    });

    it.each([
      ['a wrong password', connection(SASL_PORT, { sasl: sasl('plain', 'wrong-4712') }), PermanentError, /Authentication failed/],
      [
        'a wrong password by SCRAM',
        connection(SASL_PORT, { sasl: sasl('scram-sha-512', 'wrong-4712') }),
        PermanentError,
        /authentication failed/i,
      ],
      [
        'a certificate of a stranger',
        connection(SSL_PORT, { tls: { ...withKey, cert: stranger.cert, key: new Secret(stranger.key) } }),
        RetryableError,
        /./,
      ],
      [
        'a broker that is not trusted',
        connection(SSL_PORT, { tls: { ...withKey, ca: stranger.cert } }),
        RetryableError,
        /self-signed certificate|unable to verify/,
      ],
      [
        'another name than the broker has',
        connection(SSL_PORT, { tls: { ...withKey, serverName: 'else.test' } }),
        RetryableError,
        /altnames/,
      ],
      ['no TLS where it is wanted', connection(SSL_PORT, {}), RetryableError, /./],
    ])('is not spoken to with %s, and nobody is told a password', async (_, by, kind, message) => {
      const telemetry = new MemoryTelemetry();
      const client = kafkaClient(by, telemetry, { ...BRIEF, retries: 2 });
      const made = makeTopic(client, 'never').catch((error: unknown) => error);
      const writer = new TransactionalWriter({ client, transactionalId: 'never', telemetry });
      const claimed = await writer.claim().catch((error: unknown) => error);
      for (const error of [await made, claimed]) {
        expect(error).toBeInstanceOf(kind);
        expect((error as Error).message).toMatch(message);
        expect(`${(error as Error).stack}`).not.toMatch(/4711|4712|PRIVATE/);
      }
      await writer.close();
      expect(JSON.stringify(telemetry.lines)).not.toMatch(/4711|4712|PRIVATE/);
    });
  },
  PROPERTIES,
);
