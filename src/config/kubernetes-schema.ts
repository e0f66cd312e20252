/** How the Kubernetes API server is reached and what is watched there, as the process file has it. */
import { z } from 'zod';
import { scalar, section } from './fields.ts';
import { Complaint } from './quantity.ts';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_EXPECTED = 'small letters, digits and `-`, at most 63';

export const kubernetes = section('How the Kubernetes API server is reached, where a sink or a watch needs it.', {
  server: scalar({ type: 'string', format: 'uri', pattern: '^https://' }, readServer)
    .optional()
    .describe('Address of the API server. Left out: as in a pod, from the environment.'),
  tokenFile: z
    .string()
    .min(1)
    .max(4096)
    .prefault(`${ACCOUNT}/token`)
    .describe('File of the bearer token, read again for every request: tokens of service accounts are renewed.'),
  caFile: z.string().min(1).max(4096).prefault(`${ACCOUNT}/ca.crt`).describe('Certificates that the API server is checked with.'),
  lease: z
    .strictObject({
      namespace: z.string().regex(DNS_LABEL, DNS_EXPECTED).describe('Namespace of the Lease.'),
      name: z.string().regex(DNS_LABEL, DNS_EXPECTED).prefault('slipstream').describe('Name of the Lease.'),
    })
    .optional()
    .describe(
      'Of several replicas the holder acts first, the others look a moment later whether it is done. Left out: all act at once, to the same effect.',
    ),
});

export const watches = z
  .array(
    z.strictObject({
      type: z.enum(['argo-rollouts', 'deployments']).describe('What is watched: Argo Rollouts, or plain Deployments.'),
      namespaces: z
        .array(z.string().regex(DNS_LABEL, DNS_EXPECTED))
        .max(200)
        .prefault([])
        .describe('Namespaces to watch. Empty: all, which needs a ClusterRole.'),
      labelSelector: z.string().max(1024).prefault('').describe('Only objects with these labels, as in `kubectl get -l`. Empty: all.'),
      releaseAttribute: z
        .string()
        .min(1)
        .max(256)
        .optional()
        .describe(
          'Resource attribute of spans that holds the pod-template-hash (argo-rollouts: `k8s.pod.label.rollouts-pod-template-hash`) or the name of the ReplicaSet (deployments: `k8s.replicaset.name`).',
        ),
    }),
  )
  .max(20)
  .prefault([])
  .describe('Deploy systems whose rollouts begin and end runs by themselves. Empty: runs are begun by the API, or found in the traffic.');

function readServer(value: unknown): string | Complaint {
  if (typeof value !== 'string' || !URL.canParse(value)) return new Complaint('not a URL', 'an https address');
  const { protocol, username, password } = new URL(value);
  if (protocol !== 'https:') return new Complaint('a token must not travel in the clear', 'an https address');
  return username !== '' || password !== '' ? new Complaint('a URL with a password in it ends in logs', 'an https address') : value;
}
