/** Which addresses a request may go to: a name in a configuration must not lead to the machine itself or to the credentials of its cloud. */
import { BlockList, isIP } from 'node:net';

/** Refused unless `networks` says otherwise. Addresses of metadata services outside link-local: documentation of AWS, Google Cloud, Alibaba, Azure. */
const REFUSED: readonly { readonly rule: string; readonly networks: readonly string[] }[] = [
  {
    rule: 'cloud metadata',
    networks: ['169.254.169.254/32', 'fd00:ec2::254/128', 'fd20:ce::254/128', '100.100.100.200/32', '168.63.129.16/32'],
  },
  { rule: 'link-local', networks: ['169.254.0.0/16', 'fe80::/10'] },
  { rule: 'multicast', networks: ['224.0.0.0/4', 'ff00::/8'] },
  { rule: 'unspecified', networks: ['0.0.0.0/8', '::/128'] },
  { rule: 'broadcast', networks: ['255.255.255.255/32'] },
];
const LOOPBACK = blockList(['127.0.0.0/8', '::1/128']);
/** What leads to the IPv4 address in its last 32 bits: mapped (RFC 4291), NAT64 (RFC 6052, RFC 8215), and the old compatible form. */
const EMBEDDING = blockList(['::ffff:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '::/96']);
/** 6to4 (RFC 3056) has the IPv4 address in bits 16 to 47. */
const SIX_TO_FOUR = blockList(['2002::/16']);

const REFUSED_LISTS = REFUSED.map(({ rule, networks }) => ({ rule, list: blockList(networks) }));

/** Made once for a sink; asked for every connection, about each address. */
export class AddressRule {
  readonly #allowed: BlockList | null;

  /** `networks`: CIDR blocks, besides which nothing is allowed; null: all but what no deploy system has as its address. */
  constructor(networks: readonly string[] | null) {
    this.#allowed = networks === null ? null : blockList(networks);
  }

  /**
   * The name of the rule by which `address` is refused, or null when it may be connected to. Loopback is allowed where `host`, as the URL has it, is
   * itself loopback or `localhost`, so that only who wrote the configuration can point at this machine, never who runs a name server.
   */
  refusal(address: string, host: string): string | null {
    const bare = withoutZone(address);
    if (isIP(bare) === 0) return 'not an address';
    const meant = [bare, ...embeddedV4(bare)];
    if (this.#allowed !== null) return contains(this.#allowed, bare) ? null : 'outside the allowed networks';
    if (meant.some((one) => contains(LOOPBACK, one)) && !isLoopbackHost(host)) return 'loopback';
    for (const { rule, list } of REFUSED_LISTS) if (meant.some((one) => contains(list, one))) return rule;
    return null;
  }
}

/** An IPv6 address in the brackets of a URL, without them. */
export function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

function isLoopbackHost(host: string): boolean {
  const bare = withoutBrackets(host).replace(/\.$/, '').toLowerCase();
  return bare === 'localhost' || (isIP(bare) !== 0 && contains(LOOPBACK, bare));
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/');
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** A mapped IPv6 address is in the networks of its IPv4 address. */
function contains(list: BlockList, address: string): boolean {
  return list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}

function withoutZone(address: string): string {
  return address.split('%', 1)[0] ?? '';
}

/** `::` and `::1` are themselves, no IPv4 addresses. */
function embeddedV4(address: string): readonly string[] {
  if (!address.includes(':') || /^[0:]*:[01]$|^::$/.test(address)) return [];
  const words = wordsOf(address);
  if (contains(SIX_TO_FOUR, address)) return [dotted(words[1] ?? 0, words[2] ?? 0)];
  return contains(EMBEDDING, address) ? [dotted(words[6] ?? 0, words[7] ?? 0)] : [];
}

/** Its eight words. A URL writes all forms of an address in one: lower-case hex, one `::`, no dots. */
function wordsOf(address: string): readonly number[] {
  const canonical = withoutBrackets(new URL(`http://[${address}]/`).hostname);
  const [head = '', tail = ''] = canonical.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros: readonly string[] = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].map((word) => Number.parseInt(word, 16));
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
