/** Versions that deploy systems name are package URLs. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { packageUrl } from '../../src/sinks/package-url.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const ENCODED = DIGEST.replace(':', '%3A');

describe('a package URL', () => {
  it.each<[string, string | null, string]>([
    ['checkout', null, 'pkg:generic/checkout'],
    ['checkout', '7c9f8d5b6', 'pkg:generic/checkout@7c9f8d5b6'],
    ['checkout', '12', 'pkg:generic/checkout@12'],
    ['shop/check out', '1.4+b@2', 'pkg:generic/shop%2Fcheck%20out@1.4%2Bb%402'],
    ['Ünïcode!', '€', 'pkg:generic/%C3%9Cn%C3%AFcode%21@%E2%82%AC'],
    ['checkout', `checkout@${DIGEST}`, `pkg:oci/checkout@${ENCODED}?repository_url=checkout`],
    ['checkout', `ghcr.io/shop/cart@${DIGEST}`, `pkg:oci/cart@${ENCODED}?repository_url=ghcr.io/shop/cart`],
    ['checkout', `ghcr.io/shop/cart:1.4@${DIGEST}`, `pkg:oci/cart@${ENCODED}?repository_url=ghcr.io/shop/cart&tag=1.4`],
    ['checkout', `localhost:5000/cart@${DIGEST}`, `pkg:oci/cart@${ENCODED}?repository_url=localhost%3A5000/cart`],
    ['checkout', 'registry.local:5000/a/b:v1', 'pkg:oci/b?repository_url=registry.local%3A5000/a/b&tag=v1'],
    ['checkout', 'cart:1.4', 'pkg:oci/cart?repository_url=cart&tag=1.4'],
    // Not what an image looks like.
    ['checkout', `cart@sha256:beef`, 'pkg:generic/checkout@cart%40sha256%3Abeef'],
    ['checkout', 'revision 3', 'pkg:generic/checkout@revision%203'],
    ['checkout', 'ghcr.io/shop/cart', 'pkg:generic/checkout@ghcr.io%2Fshop%2Fcart'],
  ])('of %s at %s is %s', (service, version, expected) => {
    expect(packageUrl(service, version)).toBe(expected);
  });

  test.prop([fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary', minLength: 1 })])(
    'is one URL, whatever the names',
    (service, version) => {
      const made = packageUrl(service, version);
      expect(made).toMatch(/^pkg:(generic|oci)\/[\w.~%-]+(@[\w.~%-]+)?(\?[\w.~%=&/-]+)?$/);
      if (made.startsWith('pkg:generic/')) {
        const [name = '', at = ''] = made.slice('pkg:generic/'.length).split('@');
        expect([name, at].map(decodeURIComponent)).toEqual([service.toWellFormed(), version.toWellFormed()]);
      }
    },
  );

  test.prop([fc.stringMatching(/^([a-z0-9]{1,9}\/){0,200}$/)])('is found quickly, or found not to be one', (text) => {
    const begin = performance.now();
    packageUrl('checkout', `${text}${'a'.repeat(5_000)}!`);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });
});
