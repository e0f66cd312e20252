/** Signals as CDEvents are valid by the JSON Schemas that the project CDEvents publishes, which come with its Go SDK (Apache-2.0) and are read from there. */
import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, expect, it } from 'vitest';
import { cdEvent } from '../../src/sinks/cd-events.ts';
import { messageOf } from '../../src/sinks/message.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { goModule, missingGo } from '../tools/go.ts';
import type { Toolset } from '../tools/toolset.ts';

/** Holds the schemas of 0.5.0; 0.5.1 changed no event that is sent here. */
const SDK = { module: 'github.com/cdevents/sdk-go', version: 'v0.5.0' } as const;
const SCHEMAS = 'https://cdevents.dev/0.5.0/schema/';

const PUBLISHED: Toolset = {
  name: 'cdevents',
  versions: SDK,
  takes: 'a few seconds',
  missing: missingGo,
  build: async (directory) =>
    copyFile(join(await goModule(SDK.module, SDK.version, directory), 'pkg/api/schemas.go'), join(directory, 'schemas.go')),
};

function publishedSchemas(directory: string): readonly { readonly $id: string }[] {
  const source = readFileSync(join(directory, 'schemas.go'), 'utf8');
  return [...source.matchAll(/"(https:\/\/cdevents\.dev\/[^"]+)": `([^`]+)`/g)]
    .filter(([, id = '']) => id.startsWith(SCHEMAS))
    .map(([, , text = '']) => JSON.parse(text));
}

describeWithTools('published schemas of CDEvents', [PUBLISHED], (directory) => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  beforeAll(() => void ajv.addSchema([...publishedSchemas(directory(PUBLISHED))]));
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
    expect(validate).toBeDefined();
    const event = JSON.parse(cdEvent(message, config).data);
    expect(validate?.(event), JSON.stringify(validate?.errors)).toBe(true);
    expect(validate?.({ ...event, context: { ...event.context, version: '0.5.1' } })).toBe(false);
  });
});
