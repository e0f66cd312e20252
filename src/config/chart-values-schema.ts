/** Values of the Helm chart: what may stand in a values file, closed everywhere but where Kubernetes or another chart has the say. */
import { z } from 'zod';
import {
  affinity,
  anything,
  containerSecurityContext,
  countOrPercentage,
  dataKey,
  environment,
  givenName,
  labelName,
  named,
  networkPeers,
  objectName,
  podSecurityContext,
  port,
  probe,
  prometheusDuration,
  pullSecrets,
  quantity,
  replicas,
  resources,
  texts,
  tolerations,
  topologySpread,
} from './chart-fields.ts';
import { SLO_FILES } from './chart-slo-files.ts';
import { processSchema } from './process-schema.ts';

const image = {
  registry: z.string().describe('Registry; default: `global.imageRegistry`, else none is written'),
  repository: z.string().min(1).describe('Name in the registry'),
  tag: z.string().describe('Default: the appVersion of the chart'),
  digest: z
    .string()
    .regex(/^([a-z0-9]+:[0-9a-fA-F]{32,})?$/)
    .describe('Wins over the tag, such as `sha256:…`'),
  pullPolicy: z.enum(['IfNotPresent', 'Always', 'Never']).describe('When the image is fetched'),
};

const auth = {
  api: part('Who may change something by the API', {
    existingSecret: objectName().describe('Secret with the token that changes of the API ask for, 16 characters or more'),
    key: dataKey().describe('Its key'),
    generate: z
      .boolean()
      .describe(
        'Without `existingSecret` make a Secret with a random token, and keep it over upgrades. GitOps tools that render without the cluster would make a new one each time: name one there',
      ),
  }),
  otlp: part('Who may send spans', {
    existingSecret: objectName().describe('Secret with the token that senders of spans must present; default: none is asked'),
    key: dataKey().describe('Its key'),
  }),
};

const tls = {
  otlp: part('TLS of what receives spans', {
    secretName: objectName().describe(
      'Secret of type kubernetes.io/tls for both OTLP receivers; default: no TLS. A renewed certificate is taken up without a restart',
    ),
    clientCertificates: z.boolean().describe("Ask senders for a certificate that the Secret's `ca.crt` signed"),
  }),
  api: part('TLS of the API', {
    secretName: objectName().describe(
      'Secret of type kubernetes.io/tls, with `ca.crt`, for the API, metrics and probes; default: no TLS. Its certificate is for the name `<fullname>.<namespace>.svc`, and with `mode: distributed` for `*.<fullname>-evaluate-headless.<namespace>.svc` as well',
    ),
  }),
};

const service = {
  type: z
    .enum(['ClusterIP', 'NodePort', 'LoadBalancer'])
    .describe(
      '`ClusterIP`, `NodePort` or `LoadBalancer`, of the Service that takes spans. With `mode: distributed` that of the API stays within the cluster: see `ingress`',
    ),
  annotations: texts().describe('Annotations of the Service'),
  labels: texts().describe('Labels of the Service'),
  internalTrafficPolicy: z.enum(['Cluster', 'Local']).describe('`Local` or `Cluster`, of the Service that takes spans'),
  ports: part('Ports of the Service', {
    otlpGrpc: port().describe('For OTLP/gRPC'),
    otlpHttp: port().describe('For OTLP/HTTP'),
    http: port().describe('For the API, metrics and probes'),
  }),
  loadBalancerClass: z.string().describe('For `type: LoadBalancer`'),
  loadBalancerSourceRanges: z
    .array(z.string().regex(/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/))
    .describe('Networks that a load balancer lets in, as CIDR'),
};

const ingress = {
  enabled: z.boolean().describe('Make an Ingress'),
  className: objectName().describe('Its class; default: that of the cluster'),
  annotations: texts().describe('Annotations of the Ingress'),
  hosts: z
    .array(
      z.strictObject({
        host: z.string().min(1),
        paths: z
          .array(
            z.strictObject({ path: z.string().regex(/^\//), pathType: z.enum(['Prefix', 'Exact', 'ImplementationSpecific']).optional() }),
          )
          .optional(),
      }),
    )
    .describe('`[{ host, paths: [{ path, pathType }] }]`'),
  tls: z
    .array(z.strictObject({ secretName: givenName().optional(), hosts: z.array(z.string().min(1)).optional() }))
    .describe('`[{ secretName, hosts }]`'),
};

const persistence = {
  enabled: z.boolean().describe('Keep state in a volume'),
  storageClassName: objectName().describe("Default: the cluster's default class"),
  accessModes: z
    .array(z.enum(['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany']))
    .min(1)
    .describe('How the volume is mounted'),
  size: quantity().describe('Size of the volume'),
  annotations: texts().describe('Annotations of the claim'),
  whenDeleted: z.enum(['Retain', 'Delete']).describe('What becomes of it with the StatefulSet: `Retain` or `Delete`'),
};

const placement = {
  nodeSelector: texts().describe('Labels of the nodes to run on'),
  tolerations: tolerations().describe('Taints of nodes to tolerate'),
  affinity: affinity().describe('Rules of affinity'),
};

const member = {
  resources: resources().describe('Default: `resources`'),
  extraEnvs: environment().describe('Environment variables of this role, besides `extraEnvs`'),
  nodeSelector: texts().describe('Default: `nodeSelector`'),
  tolerations: tolerations().describe('Default: `tolerations`'),
  affinity: affinity().describe('Default: `affinity`'),
  topologySpreadConstraints: topologySpread().describe('Default: `topologySpreadConstraints`'),
};

const percentage = () => z.int().min(1).max(100).nullable();

const ingest = {
  replicas: replicas().describe('Members, where they are not scaled by load'),
  autoscaling: part('Members by load', {
    enabled: z.boolean().describe('Make a HorizontalPodAutoscaler'),
    minReplicas: z.int().min(1).max(1000).describe('At least so many'),
    maxReplicas: z.int().min(1).max(1000).describe('At most so many; more than the topic has partitions are idle'),
    targetCPUUtilizationPercentage: percentage().describe('Use of the CPU request to aim at'),
    targetMemoryUtilizationPercentage: percentage().describe('Use of the memory request to aim at'),
    behavior: z.strictObject({ scaleUp: anything().optional(), scaleDown: anything().optional() }).describe('How fast it follows'),
  }),
  ...member,
};

const evaluate = {
  replicas: replicas().describe('Members; each owns a part of the services'),
  scratchSize: quantity().describe(
    'Limit of the scratch volume of a member: a kubelet evicts a pod that takes more. State of 20,000 series takes about 1 GiB',
  ),
  ...member,
};

const serviceMonitor = {
  enabled: z.boolean().describe('Make a ServiceMonitor for the Prometheus operator'),
  labels: texts().describe('Such as `{ release: prometheus }`, by which Prometheus finds it'),
  interval: prometheusDuration().describe('Time between scrapes'),
  scrapeTimeout: prometheusDuration().describe('Time for one scrape, not more than `interval`'),
  metricRelabelings: z.array(anything()).describe('Relabelings of samples'),
  relabelings: z.array(anything()).describe('Relabelings of targets'),
};

const prometheusRule = {
  enabled: z.boolean().describe('Make a PrometheusRule with the alerts of docs/alerts.md'),
  labels: texts().describe('Labels by which Prometheus finds it'),
  alertLabels: texts().describe('Labels of every alert'),
  disabled: z.array(z.string().min(1)).describe('Names of alerts to leave out'),
  runbookUrl: z
    .string()
    .regex(/^(https?:\/\/.*)?$/)
    .describe('Where the description of alerts (docs/alerts.md) is to be read; takes its place in `runbook_url`'),
};

const dashboards = {
  enabled: z.boolean().describe("ConfigMaps for Grafana's sidecar"),
  labels: texts().describe('Labels by which the sidecar finds them'),
  annotations: texts().describe('Annotations of them, such as the folder'),
  namespace: labelName().describe('Default: that of the release'),
};

/** `values.yaml` says it again beside each value; a test keeps both the same. */
export const chartValuesSchema = z.strictObject({
  enabled: z.boolean().optional().describe("Means nothing here; for the `condition` of a parent chart's dependency"),
  mode: z
    .enum(['single', 'distributed'])
    .describe(
      'How it runs: `single` (one process, a StatefulSet with a volume) or `distributed` (members on an existing Kafka: a Deployment of role `ingest`, a StatefulSet of role `evaluate`)',
    ),
  nameOverride: labelName().describe("Takes the place of the chart's name in names of objects"),
  fullnameOverride: labelName().describe('Takes the place of the whole name'),
  namespaceOverride: labelName().describe('Namespace of all objects; default: that of the release'),
  commonLabels: texts().describe('Labels of all objects'),
  commonAnnotations: texts().describe('Annotations of all objects'),
  image: part('The image', image),
  imagePullSecrets: pullSecrets().describe('Secrets for the registry: `[{ name: … }]`'),
  global: z
    .looseObject({
      imageRegistry: z.string().optional().describe('Registry of images of all charts'),
      imagePullSecrets: z
        .array(z.union([pullSecrets().element, givenName()]))
        .optional()
        .describe('Secrets for it'),
    })
    .describe('What a parent chart says to all its charts'),
  config: processSchema.describe(
    'The process file, as config/example.yaml of the project describes it. The chart sets what follows from other values (addresses to listen on, paths of secrets, state and SLO files); what is said here is merged over that. A change restarts the pods',
  ),
  slos: SLO_FILES.describe(
    'SLO files: a name and what is in it (one document, a list of documents, or text). They are reloaded without a restart',
  ),
  sloConfigMaps: z.array(givenName()).describe('ConfigMaps that hold SLO files, such as those a GitOps tool writes; reloaded as well'),
  secrets: z
    .array(z.strictObject({ name: labelName().min(1), secretName: givenName() }))
    .describe('Secrets that `config` names by file: each is mounted at `/etc/slipstream/secrets/<name>/`, one file a key'),
  auth: part('Tokens', auth),
  tls: part('Certificates', tls),
  serviceAccount: part('The account of the pods', {
    create: z.boolean().describe('Make it'),
    name: objectName().describe('Default: the full name'),
    annotations: texts().describe('Annotations of it'),
  }),
  rbac: part('What the pods may do in the cluster', {
    create: z.boolean().describe('Make the rights that the sinks, watches and the lease of `config` need, and nothing else'),
    namespaces: z
      .array(labelName().min(1))
      .describe('Namespaces in which sinks act and watches look; default: those that all watches name, else the whole cluster'),
  }),
  service: part('The Service', service),
  ingress: part('Of the API; spans need none', ingress),
  persistence: part('The volume of state, with `mode: single`. Without it a restart forgets budgets and runs', persistence),
  ingest: part('With `mode: distributed`: counts spans', ingest),
  evaluate: part('With `mode: distributed`: judges. Its state is in Kafka, the volume is scratch', evaluate),
  resources: resources().describe('Memory request and limit are the same, and there is no limit of CPU'),
  podSecurityContext: podSecurityContext().describe('Of the pods'),
  securityContext: containerSecurityContext().describe('Of the container'),
  podAnnotations: texts().describe('Annotations of the pods'),
  podLabels: texts().describe('Labels of the pods'),
  ...placement,
  topologySpreadConstraints: topologySpread().describe(
    'Default with `mode: distributed`: members of a role spread over nodes, as far as that goes',
  ),
  priorityClassName: objectName().describe('Priority of the pods'),
  extraArgs: z.array(z.string().min(1)).describe('Further arguments of `slipstream serve`'),
  extraEnvs: environment().describe('Such as `OTEL_EXPORTER_OTLP_ENDPOINT` for own traces'),
  extraEnvsFrom: z.array(anything()).describe('ConfigMaps and Secrets whose keys become environment variables'),
  extraVolumes: z.array(named()).describe('Further volumes of the pods'),
  extraVolumeMounts: z.array(z.looseObject({ name: z.string().min(1), mountPath: z.string().min(1) })).describe('Where they are mounted'),
  initContainers: z.array(named()).describe('Containers that run before'),
  extraContainers: z.array(named()).describe('Containers that run beside'),
  terminationGracePeriodSeconds: z.int().min(0).describe('Time for draining, which takes at most 10 s, and `preStopSeconds`'),
  preStopSeconds: z.int().min(0).max(3600).describe('Wait before stopping, in which load balancers learn of it'),
  livenessProbe: probe().describe('When a pod is started again'),
  readinessProbe: probe().describe('When a pod is sent nothing'),
  startupProbe: probe().describe('Reading the state back takes a few seconds, after a long outage longer'),
  podDisruptionBudget: part('How many pods may be taken away at a time', {
    enabled: z.boolean().describe('Make a PodDisruptionBudget'),
    maxUnavailable: countOrPercentage().describe('A count, or a percentage such as `50%`'),
  }),
  networkPolicy: part('Who may reach the pods', {
    enabled: z.boolean().describe('Make a NetworkPolicy'),
    otlpFrom: networkPeers().describe('Who may send spans: peers of a NetworkPolicy; default: the pods of the namespace'),
    apiFrom: networkPeers().describe('Who may ask the API and read metrics; default: the pods of the namespace'),
    egress: z.array(anything()).describe('Egress rules; default: everything is allowed out'),
  }),
  serviceMonitor: part('Scraping by the Prometheus operator', serviceMonitor),
  prometheusRule: part('Alerts about Slipstream itself', prometheusRule),
  dashboards: part('Dashboards for Grafana', dashboards),
  argoRollouts: part('For Argo Rollouts that ask for verdicts', {
    clusterAnalysisTemplates: part('Templates of the whole cluster', {
      enabled: z
        .boolean()
        .describe('Makes the ClusterAnalysisTemplates `slipstream` (verdicts) and `slipstream-metrics` (limits of your own)'),
      name: objectName().describe('Takes the place of `slipstream` in both names, as they are of the whole cluster'),
      tokenSecret: part("Secret with the API's token in the namespaces of the Rollouts", {
        name: givenName().describe('Its name'),
        key: dataKey().describe('Its key'),
      }),
    }),
  }),
  flagger: part('For Flagger', {
    metricTemplates: part('What its Canaries refer to', {
      enabled: z.boolean().describe('Makes the MetricTemplates `slipstream-error-rate` and `slipstream-latency-p99`'),
      namespace: labelName().describe('Default: that of the release'),
    }),
  }),
  extraManifests: z.array(z.union([anything(), z.string()])).describe('Further objects, rendered as templates'),
});

/** Values that belong together. Each may be left out: what the chart says stays in force. */
function part<Shape extends z.ZodRawShape>(description: string, shape: Shape) {
  return z.strictObject(shape).partial().describe(description);
}
