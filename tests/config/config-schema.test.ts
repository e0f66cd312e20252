/** The JSON Schema for editors says what the loader says, and the example shows every option with the default in force. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { configSchemaJson } from '../../src/config/config-schema.ts';
import { loadConfig } from '../../src/config/load-config.ts';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURES = join(import.meta.dirname, 'fixtures');

interface JsonSchema {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

const schema = configSchemaJson() as JsonSchema;
const validate = new Ajv2020({ strict: false, formats: { uri: true } }).compile(schema as object);

function documentsOf(path: string): unknown[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => (document as { toJS(): unknown }).toJS());
}

describe('config/schema.json', () => {
  it.each([
    ...['config/local.yaml', 'config/example.yaml', 'config/slos/defaults.yaml', 'config/slos/shop.yaml'].map((path) => join(ROOT, path)),
    ...readdirSync(join(FIXTURES, 'good'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.ya?ml$/.test(path))
      .map((path) => join(FIXTURES, 'good', path)),
  ])('accepts %s', (path) => {
    for (const document of documentsOf(path)) {
      validate(document);
      expect(validate.errors ?? []).toEqual([]);
    }
  });

  it.each([
    'typo-in-objective',
    'typo-in-section',
    'typo-in-process',
    'missing-service',
    'missing-kind',
    'unknown-kind',
    'unknown-api-version',
    'latency-without-unit',
    'percent-without-sign',
    'error-rate-without-sign',
    'two-slis-in-one',
    'window-without-unit',
    'window-in-months',
    'percent-for-points',
    'negative-tolerance',
    'size-in-mb',
    'criterion-without-unit',
    'criterion-without-sign',
    'criterion-lower-limit',
    'criterion-of-availability',
    'criterion-typo-in-entry',
    'weight-of-zero',
    'unknown-check',
    'unknown-baseline',
    'baseline-shift',
    'negative-burn-rate',
    'port-too-large',
    'inline-token',
    'secret-as-env-name',
    'throughput-without-sign',
    'in-flight-lower-limit',
    'objectives-as-number',
    'unknown-calendar',
    'exclusion-without-duration',
    'trend-without-day',
    'gate-share-without-sign',
    'unknown-preset-of-spans',
  ])('refuses the mistake %s already in the editor', (name) => {
    expect(documentsOf(join(FIXTURES, 'bad', `${name}.yaml`)).every((document) => validate(document))).toBe(false);
  });

  it('describes every option', () => {
    const silent = [...options(schema.$defs ?? {}, '')].filter(([, option]) => (option.description ?? '').length < 10);
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  it.each(['local.yaml', 'example.yaml', 'slos/defaults.yaml', 'slos/shop.yaml'])('is named at the top of %s', (name) => {
    const up = name.includes('/') ? '../' : './';
    expect(readFileSync(join(ROOT, 'config', name), 'utf8')).toMatch(new RegExp(`^# yaml-language-server: \\$schema=${up}schema.json\n`));
  });
});

/** Every named option below `properties`, with its path. */
function* options(properties: Readonly<Record<string, JsonSchema>>, above: string): Generator<[string, JsonSchema]> {
  for (const [name, option] of Object.entries(properties)) {
    const path = `${above}${above === '' ? '' : '.'}${name}`;
    yield [path, option];
    yield* options(option.properties ?? {}, path);
    for (const form of option.anyOf ?? []) yield* options(form.properties ?? {}, path);
    const lists = [option.items, ...(option.anyOf ?? []).map((form) => form.items)];
    for (const variant of lists.flatMap((items) => [items, ...(items?.oneOf ?? []), ...(items?.anyOf ?? [])]))
      yield* options(variant?.properties ?? {}, `${path}[]`);
  }
}

/** The form of an option that a value has, where it may have several; the section is the form to show in lists. */
function formOf(option: JsonSchema, value: unknown): JsonSchema {
  const forms = option.anyOf ?? [];
  if (forms.length === 0) return option;
  const isMeant = (form: JsonSchema): boolean =>
    Array.isArray(value)
      ? form.items !== undefined
      : typeof value === 'object'
        ? form.properties !== undefined
        : form.properties === undefined;
  const { anyOf: _, ...rest } = option;
  return { ...rest, ...forms.find(isMeant) };
}

/** Options that `value` does not show, and those whose value there is not the default. */
function gaps(several: JsonSchema, value: unknown, path: string): string[] {
  if (value === undefined) return [`${path} is not shown`];
  const option = formOf(several, value);
  if (option.properties !== undefined) {
    const section = value as Readonly<Record<string, unknown>>;
    return Object.entries(option.properties).flatMap(([name, inner]) => gaps(inner, section[name], `${path}.${name}`));
  }
  if (option.items?.oneOf !== undefined && Array.isArray(value)) {
    return option.items.oneOf.flatMap((variant) => {
      const { const: type } = (variant.properties?.type ?? {}) as { const?: string };
      return type === undefined
        ? []
        : gaps(
            variant,
            value.find((entry) => entry.type === type),
            `${path}[${type}]`,
          );
    });
  }
  const entries = option.items?.anyOf?.find((form) => form.properties !== undefined) ?? option.items;
  if (entries?.properties !== undefined && Array.isArray(value)) {
    return Object.entries(entries.properties).flatMap(([name, inner]) => {
      const shown = value.map((entry) => entry[name]).filter((entry) => entry !== undefined);
      return shown.length === 0 ? [`${path}[].${name} is not shown`] : gaps(inner, shown[0], `${path}[].${name}`);
    });
  }
  const hasPlainDefault = option.default !== undefined && JSON.stringify(option.default).length > 2;
  return hasPlainDefault && JSON.stringify(option.default) !== JSON.stringify(value)
    ? [`${path} is not the default ${JSON.stringify(option.default)}`]
    : [];
}

describe('config/example.yaml', () => {
  const [process, defaults, service] = documentsOf(join(ROOT, 'config/example.yaml'));

  it('shows every option of a process, with its default', () => {
    expect(gaps(schema.$defs?.Process ?? {}, process, 'process')).toEqual([]);
  });

  const ofDefaults = gaps(schema.$defs?.Defaults ?? {}, defaults, 'defaults');
  const ofService = gaps(schema.$defs?.ServiceObjectives ?? {}, service, 'service');
  /** A preset and own tiers exclude each other, so each is shown at one place. */
  const isShownElsewhere = (gap: string): boolean => {
    const option = /\.alerts\.(preset|tiers) is not shown$/.exec(gap)?.[0];
    return option !== undefined && !(ofDefaults.includes(`defaults.spec${option}`) && ofService.includes(`service.spec${option}`));
  };

  it('shows every option of the defaults of an organisation, with its default', () => {
    expect(ofDefaults.filter((gap) => !isShownElsewhere(gap))).toEqual([]);
  });

  it('shows every option of a service; those of its canary are shown in the defaults', () => {
    const missing = ofService.filter((gap) => !isShownElsewhere(gap));
    expect(missing.filter((gap) => !gap.startsWith('service.spec.canary.'))).toEqual([]);
  });

  it('is loaded as it stands, once its secrets are there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipstream-example-'));
    const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    mkdirSync(join(folder, 'secrets'));
    mkdirSync(join(folder, 'certs'));
    for (const name of ['ca.pem', 'slipstream.pem', 'slipstream-key.pem'])
      writeFileSync(join(folder, 'certs', name), '-----BEGIN CERTIFICATE-----\n');
    writeFileSync(join(folder, 'secrets/webhook-old'), secret);
    writeFileSync(join(folder, 'secrets/webhook-ed25519'), `whsk_${Buffer.alloc(32, 2).toString('base64')}`);
    cpSync(join(ROOT, 'config/example.yaml'), join(folder, 'example.yaml'));
    const result = loadConfig(join(folder, 'example.yaml'), {
      SLIPSTREAM_API_TOKEN: 'correct-horse-battery',
      SLIPSTREAM_OTLP_TOKEN: 'correct-horse-battery',
      SLIPSTREAM_WEBHOOK_SECRET: secret,
      SLIPSTREAM_KAFKA_PASSWORD: 'correct-horse',
      ALERTMANAGER_TOKEN: 'correct-horse-battery',
      SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/x',
      PAGERDUTY_ROUTING_KEY: '0123456789abcdef0123456789abcdef',
      SLIPSTREAM_HEARTBEAT_URL: 'https://heartbeats.example.com/ping/x',
    });
    rmSync(folder, { recursive: true });
    expect('problems' in result ? result.problems : result.warnings).toEqual([]);
  });
});
