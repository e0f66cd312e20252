/** What a resource says about its spans: service, release, pod, which spans of it are left out, and the event rules of the others. */
import type { ResourceIdentity } from '../model/series.ts';
import type { SpanRules } from '../model/span-rules.ts';
import { ByteWords } from './byte-words.ts';
import { EventRules, eventAttributes, type ResourceEvents } from './event-rules.ts';
import { ExcludeRules, excludeAttributes, type ResourceExcludes } from './exclude-rules.ts';

const SERVICE_NAME = 'service.name';
const SERVICE_NAMESPACE = 'service.namespace';
/** Source: semantic conventions 1.44, resource/README.md: what SDKs write where the service has no name, alone or with `:` and the program. */
const UNKNOWN_SERVICE = 'unknown_service';

/**
 * Names that replaced others. Sources: semantic conventions 1.27 (`deployment.environment`); k8sattributes of the Collector, whose default tag
 * for pod labels had the plural.
 */
const RENAMED = [
  { name: 'deployment.environment.name', old: 'deployment.environment' },
  { name: 'k8s.pod.label.', old: 'k8s.pod.labels.' },
] as const;

/** Values kept of a resource, bytes of UTF-8; longer ones are cut, as they would be repeated in every message about the release. */
export const MAX_IDENTITY_BYTES = 512;
/** Distinct resources remembered by their values. Beyond it all are forgotten, which costs asking the interner again. */
const MAX_ENTRIES = 4096;

/** A resource as the decoder remembers it; one object for all resources that say the same. */
export interface ResourceEntry {
  readonly identity: ResourceIdentity;
  /** Name of the pod, empty where the resource tells none. */
  readonly instance: string;
  readonly excludes: ResourceExcludes;
  /** Null where the service has no event rules. */
  readonly events: ResourceEvents | null;
  /** The service has no name of its own. */
  readonly nameless: boolean;
  /** The interner's number, -1 until a span is counted, and the lane it gave then. */
  id: number;
  lane: number;
}

/** Values by position in `ResourceIdentities.attributes`; undefined or '': not there, or not a text, number or bool. */
export type ResourceValues = (string | undefined)[];

export class ResourceIdentities {
  /** Attributes to look for in a resource, with their older names; of a repeated one the first counts. */
  readonly attributes: readonly string[];
  readonly words: ByteWords;
  readonly #positions: ReadonlyMap<string, number>;
  readonly #releaseBy: readonly { readonly name: string; readonly old: string | null }[];
  readonly #instanceBy: readonly string[];
  readonly #excludes: ExcludeRules;
  readonly #events: EventRules;
  readonly #entries = new Map<string, ResourceEntry>();

  constructor(rules: Pick<SpanRules, 'releaseBy' | 'instanceBy' | 'exclude' | 'events'>, slotOf: (attribute: string) => number) {
    this.#releaseBy = rules.releaseBy.map((name) => ({ name, old: oldName(name) }));
    this.#instanceBy = rules.instanceBy;
    this.#excludes = new ExcludeRules(rules.exclude, slotOf);
    this.#events = new EventRules(rules.events, slotOf);
    const wanted = this.#releaseBy.flatMap(({ name, old }) => (old === null ? [name] : [name, old]));
    const matched = [...excludeAttributes(rules.exclude), ...eventAttributes(rules.events)];
    this.attributes = [...new Set([SERVICE_NAME, SERVICE_NAMESPACE, ...wanted, ...this.#instanceBy, ...matched])];
    this.#positions = new Map(this.attributes.map((name, position) => [name, position]));
    this.words = new ByteWords(this.attributes);
  }

  /** The entry of a resource with these values. */
  entryOf(values: ResourceValues): ResourceEntry {
    const key = JSON.stringify(values);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.clear();
    const entry = this.#create((name) => values[this.#positions.get(name) ?? -1]);
    this.#entries.set(key, entry);
    return entry;
  }

  #create(valueNamed: (name: string) => string | undefined): ResourceEntry {
    const name = valueNamed(SERVICE_NAME) || UNKNOWN_SERVICE;
    const namespace = valueNamed(SERVICE_NAMESPACE);
    const service = namespace ? `${escaped(namespace)}/${escaped(name)}` : escaped(name);
    const releaseAttributes = new Map<string, string>();
    for (const { name: attribute, old } of this.#releaseBy) {
      const value = valueNamed(attribute) || (old === null ? undefined : valueNamed(old));
      if (value) releaseAttributes.set(attribute, value);
    }
    const pod = this.#instanceBy.find((attribute) => valueNamed(attribute));
    return {
      identity: { service, releaseAttributes },
      instance: (pod === undefined ? '' : valueNamed(pod)) ?? '',
      excludes: this.#excludes.forResource(service, valueNamed),
      events: this.#events.forResource(service, valueNamed),
      nameless: name === UNKNOWN_SERVICE || name.startsWith(`${UNKNOWN_SERVICE}:`),
      id: -1,
      lane: 0,
    };
  }
}

function oldName(attribute: string): string | null {
  for (const { name, old } of RENAMED) {
    if (attribute === name || (name.endsWith('.') && attribute.startsWith(name))) return old + attribute.slice(name.length);
  }
  return null;
}

/** A `/` separates namespace and name, so one inside either is written `%2F`. */
function escaped(part: string): string {
  return part.replaceAll('/', '%2F');
}
