/** Signals as CDEvents are valid by the JSON Schemas that the project CDEvents publishes, which come with its Go SDK (Apache-2.0) and are read from there. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, inject, it } from 'vitest';
import { cdEvent } from '../../src/sinks/cd-events.ts';
import { messageOf } from '../../src/sinks/message.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import './rig/global-setup.ts';
import { goCommand } from './rig/go.ts';

/** Holds the schemas of 0.5.0; 0.5.1 changed no event that is sent here. */
const SDK = 'github.com/cdevents/sdk-go@v0.5.0';
const SCHEMAS = 'https://cdevents.dev/0.5.0/schema/';

function publishedSchemas(): readonly { readonly $id: string }[] {
  const told = execFileSync(goCommand() ?? 'go', ['mod', 'download', '-json', SDK], { encoding: 'utf8', cwd: tmpdir() });
  const source = readFileSync(join((JSON.parse(told) as { Dir: string }).Dir, 'pkg/api/schemas.go'), 'utf8');
  return [...source.matchAll(/"(https:\/\/cdevents\.dev\/[^"]+)": `([^`]+)`/g)]
    .filter(([, id = '']) => id.startsWith(SCHEMAS))
    .map(([, , text = '']) => JSON.parse(text));
}

// Go, which the rig needs to build its tools, also fetches the module.
const tools = inject('clusterTools');

describe.skipIf('missing' in tools)(`published schemas of CDEvents${'missing' in tools ? ` (${tools.missing})` : ''}`, () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const schemas = 'missing' in tools ? [] : publishedSchemas();
  for (const schema of schemas) ajv.addSchema(schema);
  const config = { eventSource: '/slo/cluster-a', environment: 'prod' };
  const target = { kind: 'Rollout', namespace: 'shop', name: 'checkout', fence: '7c9f8d5b6' } as const;

  it.each([
    ['incident-detected-event', messageOf(sampleSignal({ target, link: 'https://slipstream.example.com/v1' }), DECIDED_AT)],
    [
      'service-rolledback-event',
      messageOf(sampleSignal({ action: 'rolled_back', rolledBackTo: 'registry.example/checkout:1.4.2' }), DECIDED_AT),
    ],
  ])('%s takes ours, and refuses it with a field it does not know', (name, message) => {
    const validate = ajv.getSchema(`${SCHEMAS}${name}`);
    expect(validate, `${schemas.length} schemas are known`).toBeDefined();
    const event = JSON.parse(cdEvent(message, config).data);
    expect(validate?.(event), JSON.stringify(validate?.errors)).toBe(true);
    expect(validate?.({ ...event, context: { ...event.context, version: '0.5.1' } })).toBe(false);
  });
});
