/** The endpoints a run compares: a bounded number of them, the first to come; in an order that does not depend on who came first. */
import { Check } from './check.ts';
import type { CheckRule } from './check-rule.ts';
import type { BucketScale } from './edges.ts';
import { EndpointComparison, type EndpointState } from './endpoint-comparison.ts';

/** Endpoints of one run, by order of appearance; the others are counted and not judged. */
export const MAX_ENDPOINTS = 1000;

export class EndpointBook {
  readonly #rules: readonly CheckRule[];
  readonly #scale: BucketScale;
  readonly #byName = new Map<string, EndpointComparison>();
  #sorted: readonly EndpointComparison[] = [];

  constructor(rules: readonly CheckRule[], scale: BucketScale) {
    this.#rules = rules;
    this.#scale = scale;
  }

  /** All of them, ascending by name, so that sums do not depend on the order of feeding. */
  get all(): readonly EndpointComparison[] {
    if (this.#sorted.length < this.#byName.size) this.#sorted = [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.#sorted;
  }

  /** The endpoint of this name, new if it was not known; undefined when there are too many. */
  of(name: string): EndpointComparison | undefined {
    const known = this.#byName.get(name);
    if (known !== undefined || this.#byName.size >= MAX_ENDPOINTS) return known;
    const checks = this.#rules.map((rule) => new Check(rule));
    const endpoint = new EndpointComparison(name, checks, this.#scale);
    this.#byName.set(name, endpoint);
    return endpoint;
  }

  /** By order of appearance. */
  snapshot(): readonly EndpointState[] {
    return [...this.#byName.values()].map((endpoint) => endpoint.snapshot());
  }

  static restore(rules: readonly CheckRule[], scale: BucketScale, states: readonly EndpointState[]): EndpointBook {
    const restored = new EndpointBook(rules, scale);
    for (const state of states) restored.#byName.set(state.name, EndpointComparison.restore(rules, scale, state));
    return restored;
  }
}
