/** Holds manifests against the schemas of one version of Kubernetes, and custom resources against their definitions. */
import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parseAllDocuments } from 'yaml';
import { customResourcesIn } from '../tools/custom-resources.ts';
import { kubernetesSchemaIn } from '../tools/kubernetes-schemas.ts';
import { type Manifest, titleOf } from './manifests.ts';

/** What is wrong with a manifest; null: its kind is not known here. */
export type Check = (manifest: Manifest) => readonly string[] | null;

/** The schemas use keywords and formats (`x-kubernetes-…`, `int-or-string`) that no validator knows. */
const LENIENT = { strict: false, validateFormats: false, allErrors: true, inlineRefs: false } as const;

interface Definitions {
  readonly $id: string;
  readonly $defs: Readonly<Record<string, { readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[] }>>;
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Kinds that this version itself serves. Unknown fields are errors. A kind is compiled when it is first seen. */
export async function builtInChecker(schemas: string, minor: string): Promise<Check> {
  const definitions = JSON.parse(await readFile(kubernetesSchemaIn(schemas, minor), 'utf8')) as Definitions;
  const ajv = new Ajv2020(LENIENT).addSchema(definitions);
  const names = new Map(
    Object.entries(definitions.$defs).flatMap(([name, definition]) =>
      (definition['x-kubernetes-group-version-kind'] ?? []).map((of) => [kindOf(of), name] as const),
    ),
  );
  return checker((kind) => {
    const name = names.get(kind);
    return name === undefined ? null : ajv.compile({ $ref: `${definitions.$id}#/$defs/${name}` });
  });
}

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: object } }[];
  };
}

/** Kinds that operators bring. Unknown fields are errors here, though an API server only drops them. */
export async function customChecker(directory: string): Promise<Check> {
  const ajv = new Ajv(LENIENT);
  const schemas = new Map<string, object>();
  for (const file of customResourcesIn(directory)) {
    for (const document of parseAllDocuments(await readFile(file, 'utf8'))) {
      const { group, names, versions } = (document as { toJS(): CustomResourceDefinition }).toJS().spec;
      for (const { name, schema } of versions) {
        schemas.set(kindOf({ group, version: name, kind: names.kind }), withMetadata(closed(schema.openAPIV3Schema)));
      }
    }
  }
  return checker((kind) => {
    const schema = schemas.get(kind);
    return schema === undefined ? null : ajv.compile(schema);
  });
}

type Validate = ReturnType<Ajv['compile']>;

function checker(compile: (kind: string) => Validate | null): Check {
  const compiled = new Map<string, Validate | null>();
  return (manifest) => {
    const kind = `${manifest.apiVersion} ${manifest.kind}`;
    const validate = compiled.get(kind) ?? compile(kind);
    compiled.set(kind, validate);
    if (validate === null) return null;
    validate(manifest);
    return (validate.errors ?? []).map(({ instancePath, message = '', params }) =>
      `${titleOf(manifest)} ${instancePath || '/'} ${message} ${params.additionalProperty ?? ''}`.trim(),
    );
  };
}

function kindOf({ group, version, kind }: GroupVersionKind): string {
  return `${group === '' ? '' : `${group}/`}${version} ${kind}`;
}

/** As an API server prunes: what has named properties has no others, unless it says so. */
function closed(schema: unknown): object {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema as never;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isOpen = !('properties' in schema) || 'additionalProperties' in schema || 'x-kubernetes-preserve-unknown-fields' in schema;
  return isOpen ? inOurWords(inner) : { ...inner, additionalProperties: false };
}

function inOurWords(schema: Record<string, unknown>): object {
  const { pattern, ...rest } = schema;
  if (schema['x-kubernetes-int-or-string'] === true) return { ...rest, type: ['integer', 'string'] };
  // Go's way to ignore case, which is none of JavaScript's.
  return typeof pattern === 'string' && pattern.includes('(?i)') ? rest : schema;
}

/** An API server knows it of every kind; definitions only say that it is an object. */
function withMetadata(schema: object): object {
  const { properties = {} } = schema as { properties?: object };
  return { ...schema, properties: { ...properties, metadata: { type: 'object' } } };
}
