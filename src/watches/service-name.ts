/** The service that an object's pods are, as their spans will call it. */
import type { KubernetesObject } from '../kubernetes/kubernetes-api.ts';

export const SERVICE_ANNOTATION = 'slipstream.dev/service';
/** By which the OpenTelemetry operator and the Collector's k8sattributes processor name a service. Source: semantic conventions, "Service attributes from Kubernetes". */
const POD_ANNOTATION = 'resource.opentelemetry.io/service.name';
const NAME_LABEL = 'app.kubernetes.io/name';

interface Templated {
  readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
}

/** Our own annotation, else what its pods are told to be called, else its recommended label, else its name; what is empty does not count. */
export function serviceOf(item: KubernetesObject & { readonly spec?: Templated }): string {
  const { name, annotations, labels } = item.metadata;
  const said = [annotations?.[SERVICE_ANNOTATION], item.spec?.template?.metadata?.annotations?.[POD_ANNOTATION], labels?.[NAME_LABEL]];
  return said.find((one) => one !== undefined && one !== '') ?? name;
}
