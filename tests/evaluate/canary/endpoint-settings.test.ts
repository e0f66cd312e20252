/** Which entry of a policy an endpoint's name means. */
import { describe, expect, it } from 'vitest';
import { EndpointSettings } from '../../../src/evaluate/canary/endpoint-settings.ts';

const USUAL = { weight: 1, isCritical: false, isMuted: false };
const SETTINGS = new EndpointSettings([
  { ...USUAL, endpoint: 'POST /pay', weight: 3 },
  { ...USUAL, endpoint: 'POST /*', isCritical: true },
  { ...USUAL, endpoint: 'GET /internal/**', isMuted: true },
]);

describe('the setting of an endpoint', () => {
  it.each([
    ['POST /pay', { weight: 3, isCritical: false }],
    ['POST /refund', { weight: 1, isCritical: true }],
    ['POST /refund/all', USUAL],
    ['GET /internal/a/b', { isMuted: true }],
    ['GET /', USUAL],
  ])('is that of the first entry that matches: %s', (name, expected) => {
    expect(SETTINGS.of(name)).toMatchObject(expected);
  });

  it('is the same however many other endpoints were asked for', () => {
    for (let index = 0; index < 10_000; index++) expect(SETTINGS.of(`GET /internal/${index}`).isMuted).toBe(true);
    expect(SETTINGS.of('POST /pay').weight).toBe(3);
  });
});
