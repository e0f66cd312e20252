/** Service, release and pod of a resource. */
import { describe, expect, it } from 'vitest';
import { type Scalar, seenOf } from './one-span.ts';

describe('the service of a resource', () => {
  it.each<[string, string, Record<string, Scalar>, number]>([
    ['its name', 'cart', { 'service.name': 'cart' }, 0],
    ['namespace and name', 'shop/cart', { 'service.name': 'cart', 'service.namespace': 'shop' }, 0],
    ['escaped where a part has a slash', 'a%2Fb/c%2Fd', { 'service.name': 'c/d', 'service.namespace': 'a/b' }, 0],
    ['unknown without a name', 'unknown_service', {}, 1],
    ['unknown with an empty name', 'shop/unknown_service', { 'service.name': '', 'service.namespace': 'shop' }, 1],
    ['what the SDK wrote for want of one, and that is told', 'unknown_service:node', { 'service.name': 'unknown_service:node' }, 1],
    ['not told missing where it only begins like that', 'unknown_services', { 'service.name': 'unknown_services' }, 0],
  ])('is %s', (_, service, resource, missing) => {
    const seen = seenOf({ resource });
    expect(seen.identity?.service).toBe(service);
    expect(seen.missingServiceName).toBe(missing);
  });
});

describe('the release of a resource', () => {
  const releaseOf = (resource: Record<string, Scalar>, releaseBy: string[]) => [
    ...(seenOf({ resource, rules: { releaseBy } }).identity?.releaseAttributes ?? []),
  ];

  it('is the tracked attributes, in the order of telling', () => {
    const resource = { 'service.version': '1.2', 'host.name': 'h', 'k8s.replicaset.name': 'cart-6d' };
    expect(releaseOf(resource, ['k8s.replicaset.name', 'service.version'])).toEqual([
      ['k8s.replicaset.name', 'cart-6d'],
      ['service.version', '1.2'],
    ]);
  });

  it('is empty where nothing tracked is there, or is empty', () => {
    expect(releaseOf({ 'host.name': 'h', 'service.version': '' }, ['service.version'])).toEqual([]);
  });

  it('takes numbers and bools as text', () => {
    expect(releaseOf({ build: 17, canary: true, share: 0.5 }, ['build', 'canary', 'share'])).toEqual([
      ['build', '17'],
      ['canary', 'true'],
      ['share', '0.5'],
    ]);
  });

  it('takes old names where the new ones are missing', () => {
    const tracked = ['k8s.pod.label.track', 'deployment.environment.name'];
    expect(releaseOf({ 'k8s.pod.labels.track': 'canary', 'deployment.environment': 'prod' }, tracked)).toEqual([
      ['k8s.pod.label.track', 'canary'],
      ['deployment.environment.name', 'prod'],
    ]);
    expect(releaseOf({ 'k8s.pod.labels.track': 'old', 'k8s.pod.label.track': 'new' }, tracked)).toEqual([['k8s.pod.label.track', 'new']]);
  });

  it('cuts values nobody could read', () => {
    expect(releaseOf({ 'service.version': 'ä'.repeat(400) }, ['service.version'])).toEqual([['service.version', 'ä'.repeat(256)]]);
  });
});

describe('the pod of a resource', () => {
  it.each<[string, string, Record<string, Scalar>]>([
    ['the name of the Kubernetes pod', 'cart-1', { 'k8s.pod.name': 'cart-1' }],
    ['else the instance of the service', 'i-1', { 'service.instance.id': 'i-1' }],
    [
      'the former of both, which a restart of the process does not change',
      'cart-1',
      { 'service.instance.id': 'i-1', 'k8s.pod.name': 'cart-1' },
    ],
    ['else the instance, where the name is empty', 'i-1', { 'k8s.pod.name': '', 'service.instance.id': 'i-1' }],
    ['a number as text', '7', { 'service.instance.id': 7 }],
    ['nothing without either', '', { 'host.name': 'h' }],
  ])('is %s', (_, pod, resource) => {
    expect(seenOf({ resource }).pod).toBe(pod);
  });

  it('is what the rules say', () => {
    const resource = { 'k8s.pod.name': 'cart-1', 'host.name': 'h' };
    expect(seenOf({ resource, rules: { instanceBy: ['host.name', 'k8s.pod.name'] } }).pod).toBe('h');
    expect(seenOf({ resource, rules: { instanceBy: [] } }).pod).toBe('');
  });

  it('changes neither service nor release', () => {
    const [one, other] = ['cart-1', 'cart-2'].map((pod) => seenOf({ resource: { 'service.name': 'cart', 'k8s.pod.name': pod } }));
    expect(one?.identity).toEqual(other?.identity);
  });
});
