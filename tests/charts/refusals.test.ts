/** Usual mistakes in values, and the words by which they are refused before anything is installed. */
import { expect, it } from 'vitest';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { type Render, refusalOf } from './helm.ts';

const KAFKA = { kafka: { brokers: ['kafka:9092'], insecureNonLoopback: true } };
const PRINT = { type: 'print', name: 'a' };
const OBJECTIVES = { apiVersion: 'slipstream.dev/v1', kind: 'ServiceObjectives', metadata: { name: 'a' } };

/** By the schema: what a value may be. */
const WRONG_VALUES: readonly (readonly [string, object, string])[] = [
  ['a key of another chart', { replicaCount: 2 }, "additional properties 'replicaCount' not allowed"],
  ['a misspelt key', { persistence: { sise: '1Gi' } }, "at '/persistence': additional properties 'sise' not allowed"],
  ['a mode that there is not', { mode: 'cluster' }, "at '/mode': value must be one of 'single', 'distributed'"],
  ['text for a truth value', { persistence: { enabled: 'false' } }, "at '/persistence/enabled': got string, want boolean"],
  ['a truth value for text', { podAnnotations: { scrape: true } }, "at '/podAnnotations/scrape': got boolean, want string"],
  ['a number for text', { image: { tag: 1.1 } }, "at '/image/tag': got number, want string"],
  ['text for a number', { service: { ports: { http: '8080' } } }, "at '/service/ports/http': got string, want integer"],
  ['a port that is none', { service: { ports: { http: 80_800 } } }, "at '/service/ports/http': maximum: got 80,800, want 65,535"],
  ['a percentage above 100', { podDisruptionBudget: { maxUnavailable: '150%' } }, "'150%' does not match pattern"],
  ['half a pod', { ingest: { replicas: 1.5 } }, "at '/ingest/replicas': got number, want integer"],
  ['a size without its unit', { persistence: { size: '2 GB' } }, "'2 GB' does not match pattern"],
  ['an object for a list', { tolerations: { key: 'a' } }, "at '/tolerations': got object, want array"],
  ['a list for an object', { nodeSelector: ['a'] }, "at '/nodeSelector': got array, want object"],
  ['a variable without a name', { extraEnvs: [{ value: 'a' }] }, "at '/extraEnvs/0': missing property 'name'"],
  ['a number for the value of a variable', { extraEnvs: [{ name: 'A', value: 1 }] }, "at '/extraEnvs/0/value': got number, want string"],
  [
    'an unknown kind of Service',
    { service: { type: 'Loadbalancer' } },
    "at '/service/type': value must be one of 'ClusterIP', 'NodePort', 'LoadBalancer'",
  ],
  ['a name with capitals', { fullnameOverride: 'Slipstream' }, "'Slipstream' does not match pattern"],
  ['a secret as a value', { config: { api: { token: 'abcdefghijklmnop' } } }, "at '/config/api/token': 'oneOf' failed"],
  ['a misspelt option of the process', { config: { reciever: {} } }, "at '/config': additional properties 'reciever' not allowed"],
  [
    'a duration without its unit',
    { config: { state: { checkpointInterval: '5' } } },
    "at '/config/state/checkpointInterval': '5' does not match pattern",
  ],
  [
    'an unknown sink',
    { config: { sinks: [{ type: 'teams', name: 'a' }] } },
    "at '/config/sinks/0/type': value must be one of 'webhook', 'print', 'argo-rollouts'",
  ],
  ['a webhook that leads nowhere', { config: { sinks: [{ type: 'webhook', name: 'a' }] } }, "at '/config/sinks/0': missing property 'url'"],
  [
    'a misspelt word in an objective',
    { slos: { 'a.yaml': { ...OBJECTIVES, spec: { service: 'a', objektives: '99%' } } } },
    "at '/slos/a.yaml/spec': additional properties 'objektives' not allowed",
  ],
  [
    'objectives without a service',
    { slos: { 'a.yaml': { ...OBJECTIVES, spec: {} } } },
    "at '/slos/a.yaml/spec': missing property 'service'",
  ],
  [
    'an objective in a list that is wrong',
    { slos: { 'a.yaml': [{ ...OBJECTIVES, spec: { service: 'a' } }, { kind: 'ServiceObjectives' }] } },
    "at '/slos/a.yaml/1': missing properties 'apiVersion', 'metadata', 'spec'",
  ],
  ['an SLO file that would not be read', { slos: { 'a.json': {} } }, "at '/slos': additional properties 'a.json' not allowed"],
  ['an empty SLO file', { slos: { 'a.yaml': '' } }, "at '/slos/a.yaml': minLength: got 0, want 1"],
  ['a Secret without a place', { secrets: [{ secretName: 'a' }] }, "at '/secrets/0': missing property 'name'"],
  ['a Lease without anything', { config: { kubernetes: { lease: {} } } }, "at '/config/kubernetes/lease': minProperties: got 0, want 1"],
];

/** By the templates: what goes together. */
const WRONG_TOGETHER: readonly (readonly [string, object, string])[] = [
  ['members without Kafka', { mode: 'distributed' }, 'set config.kafka.brokers, or mode: single'],
  ['spans from Kafka without brokers', { config: { receivers: { kafka: { enabled: true } } } }, 'set config.kafka.brokers'],
  [
    'no receiver at all',
    { config: { receivers: { otlpGrpc: { enabled: false }, otlpHttp: { enabled: false } } } },
    'enable one of config.receivers.otlpGrpc, config.receivers.otlpHttp and config.receivers.kafka',
  ],
  [
    'a receiver that only the pod hears',
    { config: { receivers: { otlpGrpc: { host: '127.0.0.1' } } } },
    'config.receivers.otlpGrpc.host 127.0.0.1 is heard by the pod alone',
  ],
  ['a port that no Service finds', { config: { api: { port: 0 } } }, 'config.api.port 0 is another one at each start'],
  ['two listeners on a port', { config: { api: { port: 4317 } } }, 'config.receivers.otlpGrpc.port 4317 is taken'],
  [
    'senders that are refused because nobody asks them',
    { config: { receivers: { insecureNonLoopback: false } } },
    'set auth.otlp.existingSecret or tls.otlp.clientCertificates',
  ],
  ['certificates of senders without TLS', { tls: { otlp: { clientCertificates: true } } }, 'set tls.otlp.secretName'],
  ['an API open to everybody', { auth: { api: { generate: false } } }, 'set auth.api.existingSecret, auth.api.generate: true'],
  [
    'members without a token',
    { mode: 'distributed', config: KAFKA, auth: { api: { generate: false } } },
    'trust each other by the token of the API',
  ],
  [
    'one address for all members',
    { mode: 'distributed', config: { ...KAFKA, api: { advertisedUrl: 'http://a' } } },
    'each pod has an address of its own',
  ],
  ['state in the image', { config: { state: { directory: 'state' } } }, 'config.state.directory state would lie in the image'],
  ['two sinks of a name', { config: { sinks: [PRINT, PRINT] } }, 'config.sinks has two of the name a'],
  [
    'people who cannot be told',
    { config: { sinks: [PRINT], escalation: { to: ['a'] } } },
    'config.escalation.to names a, which is no sink that tells people',
  ],
  [
    'a token in two places',
    { auth: { otlp: { existingSecret: 'a' } }, config: { receivers: { token: { env: 'A' } } } },
    'leave one of them out',
  ],
  ['Kafka in the clear', { config: { kafka: { brokers: ['kafka:9092'] } } }, 'config.kafka.brokers would be spoken to without TLS'],
  ['a volume for nothing', { config: { state: { enabled: false } } }, 'set persistence.enabled: false as well'],
  [
    'a Secret that is not mounted',
    { config: { api: { token: { file: '/etc/slipstream/secrets/api/token' } } } },
    'add { name: api, secretName: … } to secrets',
  ],
  [
    'two Secrets at a place',
    {
      secrets: [
        { name: 'a', secretName: 'b' },
        { name: 'a', secretName: 'c' },
      ],
    },
    'secrets has two of the name a',
  ],
  ['a ConfigMap twice', { sloConfigMaps: ['a', 'a'] }, 'name each once'],
  ['an alert that there is not', { prometheusRule: { disabled: ['Nothing'] } }, 'Nothing, which is no alert of this chart'],
  [
    'a watch that sees nothing',
    { config: { watches: [{ type: 'deployments', namespaces: ['a'] }] }, rbac: { namespaces: ['b'] } },
    'add it to rbac.namespaces',
  ],
  [
    'a watch of all with rights in some',
    { config: { watches: [{ type: 'deployments' }] }, rbac: { namespaces: ['b'] } },
    'set its namespaces',
  ],
  [
    'rights for every pod of the namespace',
    { config: { sinks: [{ type: 'kubernetes', name: 'a' }] }, serviceAccount: { create: false } },
    'set serviceAccount.create: true, or serviceAccount.name',
  ],
  ['too little time to drain', { terminationGracePeriodSeconds: 10 }, 'set at least 15'],
  ['an Ingress without a host', { ingress: { enabled: true } }, 'set ingress.hosts'],
  [
    'fewer members than the least',
    { mode: 'distributed', config: KAFKA, ingest: { autoscaling: { maxReplicas: 1 } } },
    'minReplicas 2 is more than maxReplicas 1',
  ],
  [
    'scaling by nothing',
    { mode: 'distributed', config: KAFKA, ingest: { autoscaling: { targetCPUUtilizationPercentage: null } } },
    'has nothing to follow',
  ],
];

describeWithTools('helm refuses', [HELM_TOOLS], (directory) => {
  const refused = (render: Render) => refusalOf(helmIn(directory(HELM_TOOLS)), render);

  it.each([...WRONG_VALUES, ...WRONG_TOGETHER])('%s', async (_, values, words) => {
    expect(await refused({ values })).toContain(words);
  });

  it('a release whose Services could not be named after it', async () => {
    expect(await refused({ release: '1234' })).toContain('set fullnameOverride');
  });

  it('all that does not go together at once, a sentence each', async () => {
    const said = await refused({
      values: { mode: 'distributed', tls: { otlp: { clientCertificates: true } }, ingress: { enabled: true } },
    });
    for (const words of ['set config.kafka.brokers', 'set tls.otlp.secretName', 'set ingress.hosts']) expect(said).toContain(words);
  });

  it('nothing of what a parent chart or an operator may add', async () => {
    const values = {
      enabled: true,
      global: { anything: { at: 'all' } },
      tolerations: [{ operator: 'Exists' }],
      resources: { limits: { 'example.com/gpu': 1, memory: '1Gi' }, requests: { cpu: 1 } },
      extraEnvs: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
      podDisruptionBudget: { maxUnavailable: '100%' },
      imagePullSecrets: [{ name: 'a' }],
      slos: { 'open.yaml': { apiVersion: 'openslo/v1', kind: 'Service', metadata: { name: 'a' }, spec: {} } },
    };
    expect(await refused({ values })).toBe('');
  });
});
