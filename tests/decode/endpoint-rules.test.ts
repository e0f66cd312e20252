/** Which endpoint a span served. */
import { describe, expect, it } from 'vitest';
import { CLIENT, CONSUMER, type Scalar, SERVER, seenOf } from './one-span.ts';

type Row = [why: string, endpoint: string, attributes: Record<string, Scalar>, name?: string, kind?: number];

const HTTP: Row[] = [
  ['method and route', 'http:GET /users/{id}', { 'http.request.method': 'GET', 'http.route': '/users/{id}' }],
  ['the old method', 'http:PUT /a', { 'http.method': 'PUT', 'http.route': '/a' }],
  ['the new method before the old one', 'http:PUT /a', { 'http.method': 'GET', 'http.request.method': 'PUT', 'http.route': '/a' }],
  ['an unknown method', 'http:HTTP /a', { 'http.request.method': '_OTHER', 'http.route': '/a' }],
  ['a made-up method', 'http:HTTP /a', { 'http.request.method': 'X7f3', 'http.route': '/a' }],
  ['a route without a method', 'http:HTTP /a', { 'http.route': '/a' }],
  ['the span name where no route is', 'http:GET /a/{id}', { 'http.request.method': 'GET', 'url.path': '/a/77' }, 'GET /a/77?b=1'],
  ['a path as span name', 'http:GET /a/{id}', { 'http.request.method': 'GET' }, '/a/77'],
  ['a method as span name', 'http:GET', { 'http.request.method': 'GET', 'url.path': '/secret' }, 'GET'],
  ['the span name of old SDKs', 'http:GET', { 'http.method': 'GET', 'http.target': '/a/77' }, 'HTTP GET'],
  ['a handler as span name', 'http:GET Cart.show', { 'http.method': 'GET' }, 'Cart.show'],
  ['no span name', 'http:GET', { 'http.method': 'GET' }, ''],
  ['only a status', 'http:HTTP op', { 'http.response.status_code': 200 }],
];

const RPC: Row[] = [
  ['the new qualified method', 'rpc:shop.Cart/Add', { 'rpc.system.name': 'grpc', 'rpc.method': 'shop.Cart/Add' }],
  ['the old service and method', 'rpc:shop.Cart/Add', { 'rpc.system': 'grpc', 'rpc.service': 'shop.Cart', 'rpc.method': 'Add' }],
  ['both generations', 'rpc:shop.Cart/Add', { 'rpc.service': 'shop.Cart', 'rpc.method': 'shop.Cart/Add' }],
  ['the path of the request', 'rpc:shop.Cart/Add', { 'rpc.method': '/shop.Cart/Add' }],
  ['an unknown method', 'rpc:grpc', { 'rpc.system': 'grpc', 'rpc.method': '_OTHER' }],
  ['an unknown method of a service', 'rpc:shop.Cart', { 'rpc.service': 'shop.Cart', 'rpc.method': '_OTHER' }],
  ['rpc before http', 'rpc:a/b', { 'rpc.method': 'a/b', 'http.request.method': 'POST', 'http.route': '/a/b' }],
];

const MESSAGING: Row[] = [
  [
    'operation and destination',
    'messaging:process orders',
    { 'messaging.operation.type': 'process', 'messaging.destination.name': 'orders' },
  ],
  [
    'the operation name first',
    'messaging:consume orders',
    { 'messaging.operation.name': 'consume', 'messaging.destination.name': 'orders' },
  ],
  ['old names', 'messaging:process orders', { 'messaging.operation': 'process', 'messaging.destination': 'orders' }],
  [
    'the template first',
    'messaging:process /o/{id}',
    { 'messaging.operation.type': 'process', 'messaging.destination.template': '/o/{id}', 'messaging.destination.name': '/o/1' },
  ],
  [
    'a temporary destination',
    'messaging:process (temporary)',
    { 'messaging.system': 'jms', 'messaging.destination.temporary': true, 'messaging.destination.name': 'tmp-9' },
  ],
  [
    'an anonymous destination',
    'messaging:process (anonymous)',
    { 'messaging.system': 'rabbitmq', 'messaging.destination.anonymous': true, 'messaging.destination.name': 'amq.gen-9' },
  ],
  ['no operation and no destination', 'messaging:process', { 'messaging.system': 'kafka' }],
];

describe('naming an endpoint', () => {
  it.each(HTTP)('uses, for http, %s', (_, endpoint, attributes, name = 'op', kind = SERVER) => {
    expect(seenOf({ attributes, span: { name, kind } }).endpoint).toBe(endpoint);
  });

  it.each(RPC)('uses, for rpc, %s', (_, endpoint, attributes, name = 'op', kind = SERVER) => {
    expect(seenOf({ attributes, span: { name, kind } }).endpoint).toBe(endpoint);
  });

  it.each(MESSAGING)('uses, for messaging, %s', (_, endpoint, attributes) => {
    expect(seenOf({ attributes, span: { kind: CONSUMER } }).endpoint).toBe(endpoint);
  });

  it.each<Row>([
    [
      'a graphql type',
      'graphql:graphql query',
      { 'graphql.operation.type': 'query', 'http.request.method': 'POST', 'http.route': '/graphql' },
    ],
    ['never the name a client gave', 'graphql:graphql query', { 'graphql.operation.type': 'query', 'graphql.operation.name': 'Mine' }],
    ['no graphql type that is none', 'graphql:graphql', { 'graphql.operation.type': 'x81' }],
    ['function and trigger', 'faas:resize/pubsub', { 'faas.name': 'resize', 'faas.trigger': 'pubsub' }],
    ['http before faas', 'http:GET /a', { 'faas.trigger': 'http', 'http.request.method': 'GET', 'http.route': '/a' }],
    ['messaging names of no consumer not at all', 'span:op', { 'messaging.system': 'kafka' }],
    ['the span name', 'span:checkout {id}', {}, 'checkout 12'],
    ['a stand-in for no name', 'span:(unnamed)', {}, ''],
  ])('uses %s', (_, endpoint, attributes, name = 'op', kind = SERVER) => {
    expect(seenOf({ attributes, span: { name, kind } }).endpoint).toBe(endpoint);
  });

  it('cuts long names between characters', () => {
    const rules = { limits: { spansPerRequest: 10, attributesPerSpan: 10, depth: 4, nameBytes: 9 } };
    expect(seenOf({ rules, attributes: { 'http.method': 'GET', 'http.route': '/aaää' } }).endpoint).toBe('http:GET /aaä');
    expect(seenOf({ rules, span: { name: 'ääääää' } }).endpoint).toBe('span:ääää');
    expect(seenOf({ rules, attributes: { 'rpc.service': 'a.b.c.d.e.f', 'rpc.method': 'M' } }).endpoint).toBe('rpc:a.b.c.d.e');
    expect(seenOf({ rules, attributes: { 'rpc.service': 'a.b.c.d.', 'rpc.method': 'M' } }).endpoint).toBe('rpc:a.b.c.d.');
  });

  it.each<[string, Record<string, Scalar>]>([
    ['a switched protocol', { 'http.request.method': 'GET', 'http.response.status_code': 101 }],
    ['a websocket', { 'http.request.method': 'GET', 'network.protocol.name': 'websocket' }],
    ['a graphql subscription', { 'graphql.operation.type': 'subscription' }],
  ])('counts %s without its duration', (_, attributes) => {
    expect(seenOf({ attributes })).toMatchObject({ timed: false, durationNs: 0, dispositions: ['counted'] });
  });

  it('names calls like the endpoints they call', () => {
    const rules = { kinds: ['client'] } as const;
    expect(seenOf({ rules, span: { kind: CLIENT }, attributes: { 'rpc.method': 'a.B/C' } }).endpoint).toBe('rpc:a.B/C');
  });
});
