/** Rewrites choices in a JSON Schema so that what checks a value by it complains about the kind that was meant, not about every kind there is. */

type Json = { readonly [key: string]: unknown };

/** A `oneOf` whose members differ in a constant property (`type: webhook`, `type: print` …) becomes one `if` a member. Nothing else changes. */
export function withClearChoices(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withClearChoices);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withClearChoices(value)]));
  const choice = choiceOf(inner.oneOf);
  if (choice === null) return inner;
  const { oneOf: _, ...rest } = inner;
  const { property, members } = choice;
  return {
    ...rest,
    type: 'object',
    properties: { [property]: { enum: members.map(({ constant }) => constant) } },
    required: [property],
    allOf: members.map(({ constant, schema: member }) => ({
      if: { properties: { [property]: { const: constant } }, required: [property] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema, and nobody awaits it.
      then: member,
    })),
  };
}

interface Choice {
  readonly property: string;
  readonly members: readonly { readonly constant: unknown; readonly schema: Json }[];
}

function choiceOf(oneOf: unknown): Choice | null {
  if (!Array.isArray(oneOf) || oneOf.length < 2) return null;
  const members: readonly Json[] = oneOf;
  const property = Object.keys(propertiesOf(members[0])).find((name) =>
    members.every((member) => 'const' in (propertiesOf(member)[name] ?? {})),
  );
  if (property === undefined) return null;
  return { property, members: members.map((schema) => ({ constant: propertiesOf(schema)[property]?.const, schema })) };
}

function propertiesOf(schema: Json | undefined): Readonly<Record<string, Json>> {
  return (schema?.properties ?? {}) as Readonly<Record<string, Json>>;
}
