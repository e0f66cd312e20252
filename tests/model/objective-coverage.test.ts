/** Which endpoints have objectives: names from traffic and from a list, whatever their parameters are called. */
import { describe, expect, it } from 'vitest';
import { type KnownEndpoint, objectiveCoverage, routeShape } from '../../src/model/objective-coverage.ts';

function seen(endpoint: string, requests = 1, service = 'shop'): KnownEndpoint {
  return { service, endpoint, aliases: [], source: 'traffic', requests };
}

function listed(endpoint: string, aliases: readonly string[] = []): KnownEndpoint {
  return { service: 'shop', endpoint, aliases, source: 'openapi', requests: 0 };
}

function objective(endpoint: string | null, service = 'shop') {
  return { id: `${service}:${endpoint ?? ''}`, service, endpoint, text: 'availability: 99.9%' };
}

it.each([
  ['GET /orders/{id}', 'GET /orders/{}'],
  ['GET /orders/:orderId/items/:id', 'GET /orders/{}/items/{}'],
  ['GET /orders/<int:id>', 'GET /orders/{}'],
  ['GET /files/{name}.json', 'GET /files/{}.json'],
  ['pkg.Service/Method', 'pkg.Service/Method'],
  ['GET http://host:80/x', 'GET http://host:80/x'],
])('the shape of %s is %s', (endpoint, shape) => {
  expect(routeShape(endpoint)).toBe(shape);
});

describe('an endpoint is covered', () => {
  it.each<[string, KnownEndpoint, (string | null)[], string]>([
    ['by an objective of its name', seen('GET /cart'), ['GET /cart'], 'endpoint'],
    ['by a pattern', seen('GET /orders/{id}'), ['GET /orders/*'], 'endpoint'],
    ['whatever the parameter is called', listed('GET /orders/{orderId}'), ['GET /orders/{id}'], 'endpoint'],
    ['under the path of a server', listed('GET /cart', ['GET /api/cart']), ['GET /api/cart'], 'endpoint'],
    ['by the service only', seen('GET /cart'), [null, 'GET /other'], 'service only'],
    ['by its own before the service', seen('GET /cart'), [null, 'GET /cart'], 'endpoint'],
    ['by nothing of another method', seen('POST /cart'), ['GET /cart'], 'none'],
    ['by nothing when there is nothing', seen('GET /cart'), [], 'none'],
  ])('%s', (_name, endpoint, patterns, expected) => {
    const rows = objectiveCoverage(
      [endpoint],
      patterns.map((pattern) => objective(pattern)),
    );
    expect(rows.map(({ coverage }) => coverage)).toEqual([expected]);
  });

  it('never by an objective of another service', () => {
    expect(objectiveCoverage([seen('GET /cart')], [objective(null, 'other'), objective('GET /cart', 'other')])[0]?.coverage).toBe('none');
  });
});

it('what traffic and list both have is one endpoint, under the name of the traffic', () => {
  const rows = objectiveCoverage(
    [seen('GET /api/orders/:id', 7), listed('GET /orders/{orderId}', ['GET /api/orders/{orderId}']), listed('GET /new')],
    [],
  );
  expect(rows.map(({ endpoint, requests, inTraffic, inOpenApi }) => ({ endpoint, requests, inTraffic, inOpenApi }))).toEqual([
    { endpoint: 'GET /api/orders/:id', requests: 7, inTraffic: true, inOpenApi: true },
    { endpoint: 'GET /new', requests: 0, inTraffic: false, inOpenApi: true },
  ]);
});

it('the busiest come first, and the same names of two services stay apart', () => {
  const rows = objectiveCoverage([seen('GET /a', 1), seen('GET /b', 9), seen('GET /a', 5, 'other')], []);
  expect(rows.map(({ service, endpoint }) => `${service} ${endpoint}`)).toEqual(['shop GET /b', 'other GET /a', 'shop GET /a']);
});
