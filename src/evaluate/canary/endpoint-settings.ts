/** What a policy says about single endpoints: how much they weigh, whether promotion needs their proof, whether they are judged at all. */
import { endpointMatches } from '../../model/endpoint-pattern.ts';
import type { EndpointSetting } from '../../model/policy.ts';

/** In force where no pattern matches. */
const USUAL: EndpointSetting = { endpoint: '**', weight: 1, isCritical: false, isMuted: false };
/** Names whose setting is remembered; matching is cheap enough to begin anew. */
const MAX_REMEMBERED = 4000;

/** Settings depend on names alone, never on what happened there: weights that followed outcomes would void the test. */
export class EndpointSettings {
  readonly #entries: readonly EndpointSetting[];
  readonly #byName = new Map<string, EndpointSetting>();

  constructor(entries: readonly EndpointSetting[]) {
    this.#entries = entries;
  }

  /** Whether any entry asks for proof. */
  get hasCritical(): boolean {
    return this.#entries.some(({ isCritical }) => isCritical);
  }

  /** The first entry that matches the endpoint's name; weight 1, not critical and not muted where none does. */
  of(name: string): EndpointSetting {
    if (this.#entries.length === 0) return USUAL;
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const setting = this.#entries.find(({ endpoint }) => endpointMatches(endpoint, name)) ?? USUAL;
    if (this.#byName.size >= MAX_REMEMBERED) this.#byName.clear();
    this.#byName.set(name, setting);
    return setting;
  }
}
