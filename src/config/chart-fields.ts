/** The kinds of values our Helm chart takes: what Kubernetes has names and shapes for, each as closed as it can be without knowing its version. */
import { z } from 'zod';

/** What an object's name may look like; empty: the chart chooses one. */
const OBJECT_NAME = /^([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?)?$/;
const LABEL_NAME = /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$/;
const QUANTITY = /^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;
const PROMETHEUS_DURATION = /^([0-9]+(ms|s|m|h|d))+$/;
const PERCENTAGE = /^(100|[0-9]{1,2})%$/;
const DATA_KEY = /^[-._A-Za-z0-9]{1,253}$/;

/** Name of an object, or empty where the chart has one of its own. */
export const objectName = () => z.string().regex(OBJECT_NAME);
/** Name of an object that must be there. */
export const givenName = () => z.string().min(1).regex(OBJECT_NAME);
/** Part of a name: a label as in DNS, or empty. */
export const labelName = () => z.string().regex(LABEL_NAME);
/** A key of a Secret or ConfigMap. */
export const dataKey = () => z.string().regex(DATA_KEY);

/** YAML takes `true` and `1` for something else than text, and Kubernetes refuses such labels: they are written in quotes. */
export const texts = () => z.record(z.string().min(1), z.string());

export const quantity = () => z.union([z.string().regex(QUANTITY), z.number().min(0)]);
export const prometheusDuration = () => z.string().regex(PROMETHEUS_DURATION);
export const countOrPercentage = () => z.union([z.int().min(0), z.string().regex(PERCENTAGE)]);
export const port = () => z.int().min(1).max(65535);
export const replicas = () => z.int().min(0).max(1000);

export const resources = () =>
  z.strictObject({
    requests: z.record(z.string().min(1), quantity()).optional(),
    limits: z.record(z.string().min(1), quantity()).optional(),
    claims: z.array(named()).optional(),
  });

/** An object of Kubernetes that has a name; what else it has is Kubernetes' business. */
export const named = () => z.looseObject({ name: z.string().min(1) });
/** Any object of Kubernetes. */
export const anything = () => z.looseObject({});

export const pullSecrets = () => z.array(z.looseObject({ name: givenName() }));

export const environment = () =>
  z.array(z.looseObject({ name: z.string().min(1), value: z.string().optional(), valueFrom: anything().optional() }));

export const tolerations = () =>
  z.array(
    z.strictObject({
      key: z.string().optional(),
      operator: z.string().optional(),
      value: z.string().optional(),
      effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
      tolerationSeconds: z.int().optional(),
    }),
  );

export const affinity = () =>
  z.strictObject({ nodeAffinity: anything().optional(), podAffinity: anything().optional(), podAntiAffinity: anything().optional() });

export const topologySpread = () =>
  z.array(
    z.looseObject({
      maxSkew: z.int().min(1).optional(),
      topologyKey: z.string().min(1),
      whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']).optional(),
      labelSelector: anything().optional(),
    }),
  );

/** Times and limits of a probe; what is asked is the chart's business. */
export const probe = () =>
  z.strictObject({
    initialDelaySeconds: z.int().min(0).optional(),
    periodSeconds: z.int().min(1).optional(),
    timeoutSeconds: z.int().min(1).optional(),
    successThreshold: z.int().min(1).optional(),
    failureThreshold: z.int().min(1).optional(),
    terminationGracePeriodSeconds: z.int().min(1).optional(),
  });

export const podSecurityContext = () =>
  z.looseObject({
    runAsNonRoot: z.boolean().optional(),
    runAsUser: z.int().min(0).optional(),
    runAsGroup: z.int().min(0).optional(),
    fsGroup: z.int().min(0).optional(),
    fsGroupChangePolicy: z.enum(['OnRootMismatch', 'Always']).optional(),
    seccompProfile: anything().optional(),
    supplementalGroups: z.array(z.int().min(0)).optional(),
  });

export const containerSecurityContext = () =>
  z.looseObject({
    allowPrivilegeEscalation: z.boolean().optional(),
    readOnlyRootFilesystem: z.boolean().optional(),
    privileged: z.boolean().optional(),
    runAsNonRoot: z.boolean().optional(),
    runAsUser: z.int().min(0).optional(),
    capabilities: z.strictObject({ add: z.array(z.string().min(1)).optional(), drop: z.array(z.string().min(1)).optional() }).optional(),
  });

/** Peers of a NetworkPolicy. */
export const networkPeers = () =>
  z.array(z.strictObject({ podSelector: anything().optional(), namespaceSelector: anything().optional(), ipBlock: anything().optional() }));
