/** Addresses that lead to the machine itself or to the credentials of its cloud are refused, in whatever form they come. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { AddressRule, withoutBrackets } from '../../../src/sinks/http/address-rule.ts';

const HOST = 'deploy.example';
const rule = new AddressRule(null);

/** The address that a URL of this text leads to. */
function addressOf(host: string): string {
  return withoutBrackets(new URL(`http://${host}/`).hostname);
}

describe('without networks of its own', () => {
  it.each<[string, string | null]>([
    ['10.1.2.3', null],
    ['172.16.0.1', null],
    ['192.168.0.1', null],
    ['93.184.216.34', null],
    ['169.253.255.255', null],
    ['169.255.0.0', null],
    ['223.255.255.255', null],
    ['2001:db8::1', null],
    ['fd00::1', null],
    ['::ffff:10.1.2.3', null],
    ['64:ff9b::a01:203', null],
    ['169.254.169.254', 'cloud metadata'],
    ['169.254.0.1', 'link-local'],
    ['169.254.255.255', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['febf::1', 'link-local'],
    ['fd00:ec2::254', 'cloud metadata'],
    ['100.100.100.200', 'cloud metadata'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['::1', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['::ffff:169.254.169.254', 'cloud metadata'],
    ['::ffff:a9fe:a9fe', 'cloud metadata'],
    ['0:0:0:0:0:ffff:a9fe:a9fe', 'cloud metadata'],
    ['64:ff9b::169.254.169.254', 'cloud metadata'],
    ['64:ff9b:1::a9fe:a9fe', 'cloud metadata'],
    ['2002:a9fe:a9fe::1', 'cloud metadata'],
    ['::169.254.169.254', 'cloud metadata'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['::127.0.0.1', 'loopback'],
    ['::ffff:0.0.0.0', 'unspecified'],
    ['64:ff9b::', 'unspecified'],
    ['::ffff:224.0.0.1', 'multicast'],
    ['::ffff:255.255.255.255', 'broadcast'],
    ['deploy.example', 'not an address'],
    ['', 'not an address'],
  ])('%s is refused as %s', (address, refusal) => {
    expect(rule.refusal(address, HOST)).toBe(refusal);
  });

  it.each<[string, string]>([
    ['2852039166', 'cloud metadata'],
    ['0xa9fea9fe', 'cloud metadata'],
    ['0251.0376.0251.0376', 'cloud metadata'],
    ['169.254.43518', 'cloud metadata'],
    ['169.254.169.254.', 'cloud metadata'],
    ['[::ffff:169.254.169.254]', 'cloud metadata'],
    ['[0000::ffff:a9fe:a9fe]', 'cloud metadata'],
    ['0', 'unspecified'],
    ['[::]', 'unspecified'],
  ])('a URL cannot hide an address by writing it as %s', (written, refusal) => {
    const address = addressOf(written);
    expect(rule.refusal(address, address)).toBe(refusal);
  });

  it.each(['localhost', 'LOCALHOST', 'localhost.', '127.0.0.1', '127.1.2.3', '[::1]', '::1'])(
    'the host %s means loopback, and may have it',
    (host) => {
      for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(rule.refusal(address, host)).toBeNull();
      expect(rule.refusal('169.254.169.254', host)).toBe('cloud metadata');
    },
  );

  it.each(['localhost.example', 'notlocalhost', '10.0.0.1', '[::2]', ''])('the host %j does not', (host) => {
    expect(rule.refusal('127.0.0.1', host)).toBe('loopback');
  });

  test.prop([fc.ipV4()])('an IPv4 address is refused alike in all forms of IPv6 that lead to it', (address) => {
    const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
    const high = ((a << 8) | b).toString(16);
    const low = ((c << 8) | d).toString(16);
    const refusal = rule.refusal(address, HOST);
    for (const form of [`::ffff:${high}:${low}`, `::ffff:${address}`, `64:ff9b::${high}:${low}`, `2002:${high}:${low}::`])
      expect([form, rule.refusal(form, HOST)]).toEqual([form, refusal]);
  });

  test.prop([fc.string({ unit: 'binary' }), fc.string()])('no text breaks it', (address, host) => {
    expect(['string', 'object']).toContain(typeof rule.refusal(address, host));
  });
});

describe('with networks of its own', () => {
  const own = new AddressRule(['10.0.0.0/8', 'fd00::/8', '127.0.0.1/32']);
  it.each<[string, string | null]>([
    ['10.255.0.1', null],
    ['::ffff:10.0.0.1', null],
    ['fd12::1', null],
    ['127.0.0.1', null],
    ['127.0.0.2', 'outside the allowed networks'],
    ['11.0.0.1', 'outside the allowed networks'],
    ['fe80::1', 'outside the allowed networks'],
    ['169.254.169.254', 'outside the allowed networks'],
    ['64:ff9b::a00:1', 'outside the allowed networks'],
    ['::1', 'outside the allowed networks'],
  ])('%s is refused as %s', (address, refusal) => {
    expect(own.refusal(address, HOST)).toBe(refusal);
  });
});
