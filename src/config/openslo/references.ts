/** Finds the objects that SLOs name: indicators, data sources, services, alert policies with their conditions and targets. */
import { nearestName } from '../nearest-name.ts';
import type { Finding, Problem, YamlPath } from '../problem.ts';
import type { SourceDocument } from '../yaml-source.ts';
import type { AnyPlaced, Placed } from './objects.ts';
import type { OpenSloKind } from './schema.ts';

/** Says something about a place of the object it belongs to. */
export interface Place {
  readonly source: SourceDocument;
  readonly path: YamlPath;
}

export function placeIn(place: Place, ...steps: readonly (string | number)[]): Place {
  return { source: place.source, path: [...place.path, ...steps] };
}

export function problemOf(place: Place, finding: Finding): Problem {
  return place.source.problem(place.path, finding);
}

export class References {
  readonly #byName = new Map<string, AnyPlaced>();
  readonly #used = new Set<AnyPlaced>();
  /** About names that two objects of a kind have. */
  readonly problems: readonly Problem[];

  constructor(objects: readonly AnyPlaced[]) {
    const problems: Problem[] = [];
    for (const object of objects) {
      const key = keyOf(object.kind, object.value.metadata.name);
      if (this.#byName.has(key)) {
        const message = `another ${object.kind} has this name`;
        problems.push(object.source.problem(['metadata', 'name'], { message, expected: `one ${object.kind} of a name` }));
      } else this.#byName.set(key, object);
    }
    this.problems = problems;
  }

  ofKind<Kind extends OpenSloKind>(kind: Kind): readonly Placed<Kind>[] {
    return [...this.#byName.values()].filter((object) => object.kind === kind) as unknown as Placed<Kind>[];
  }

  /** Null for a name no object has. */
  find<Kind extends OpenSloKind>(kind: Kind, name: string): Placed<Kind> | null {
    const found = this.#byName.get(keyOf(kind, name));
    if (found === undefined) return null;
    this.#used.add(found);
    return found as unknown as Placed<Kind>;
  }

  unknown(kind: OpenSloKind, name: string): Finding {
    const names = this.ofKind(kind).map((object) => object.value.metadata.name);
    const expected = names.length === 0 ? `a ${kind} in one of these files; there is none` : `one of ${names.slice(0, 20).join(', ')}`;
    return { message: `there is no ${kind} \`${name}\``, expected, suggestion: nearestName(name, names) };
  }

  /** Objects of kinds that do nothing by themselves, which nobody named. */
  unused(): readonly AnyPlaced[] {
    return [...this.#byName.values()].filter((object) => object.kind !== 'SLO' && !this.#used.has(object));
  }
}

function keyOf(kind: OpenSloKind, name: string): string {
  return `${kind}/${name}`;
}
