/**
 * The span attributes that name an endpoint or tell a failure, new names and the older ones they replaced.
 *
 * Source: OpenTelemetry semantic conventions 1.44, registry and migration guides (http-migration, rpc-migration, messaging-migration). Both
 * generations may be on one span (`OTEL_SEMCONV_STABILITY_OPT_IN=http/dup`).
 */

/** Per concept its attribute names, newest first: an older one counts only where no newer one has a usable value. */
const CONCEPTS = {
  httpMethod: ['http.request.method', 'http.method'],
  httpRoute: ['http.route'],
  httpStatus: ['http.response.status_code', 'http.status_code'],
  protocol: ['network.protocol.name', 'net.protocol.name'],
  rpcSystem: ['rpc.system.name', 'rpc.system'],
  rpcService: ['rpc.service'],
  rpcMethod: ['rpc.method'],
  rpcStatus: ['rpc.response.status_code', 'rpc.status_code', 'rpc.grpc.status_code'],
  messagingSystem: ['messaging.system'],
  messagingOperationName: ['messaging.operation.name'],
  messagingOperationType: ['messaging.operation.type', 'messaging.operation'],
  messagingTemplate: ['messaging.destination.template'],
  messagingDestination: ['messaging.destination.name', 'messaging.destination'],
  messagingTemporary: ['messaging.destination.temporary', 'messaging.temp_destination'],
  messagingAnonymous: ['messaging.destination.anonymous'],
  graphqlType: ['graphql.operation.type'],
  faasName: ['faas.name'],
  faasTrigger: ['faas.trigger'],
  errorType: ['error.type'],
} as const satisfies Record<string, readonly string[]>;

/** Slots that have a bit in `SpanFields.present`. */
export const MASKED_SLOTS = 31;

/** Every name of a gRPC status. */
export const RPC_STATUS_NAMES: readonly string[] = CONCEPTS.rpcStatus;

export type Concept = keyof typeof CONCEPTS;

/** Every attribute name, at most MASKED_SLOTS; its position is its slot. The names of one concept have consecutive slots. */
export const SEMCONV_ATTRIBUTES: readonly string[] = Object.values(CONCEPTS).flat();

/** First slot of a concept, how many there are, and the bits of all of them in `SpanFields.present`. */
export interface ConceptSlots {
  readonly first: number;
  readonly count: number;
  readonly mask: number;
}

/** All names of the concept that `attribute` is a name of, newest first; of any other attribute its own name. */
export function namesLike(attribute: string): readonly string[] {
  const concepts: readonly (readonly string[])[] = Object.values(CONCEPTS);
  return concepts.find((names) => names.includes(attribute)) ?? [attribute];
}

/** Slots of `concept`. */
export function slotsOf(concept: Concept): ConceptSlots {
  const names: readonly string[] = CONCEPTS[concept];
  const first = SEMCONV_ATTRIBUTES.indexOf(names[0] as string);
  return { first, count: names.length, mask: ((1 << names.length) - 1) << first };
}
