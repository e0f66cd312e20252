/** Makes certificates for tests that meet TLS: of any host, valid at any time, signed with their own key or by an authority. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

export interface SelfSigned {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

interface Validity {
  readonly from?: number;
  readonly to?: number;
}

/** X.509 v3 (RFC 5280) with a key on P-256 and one DNS name; valid a day by default. */
export function selfSigned(dnsName: string, validity: Validity = {}): SelfSigned {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return certificate(
    { subject: dnsName, names: [dnsName], issuer: dnsName, issuerKey: keys.privateKey, keys, isAuthority: false },
    validity,
  );
}

export interface Authority extends SelfSigned {
  /** A certificate for DNS names and IPv4 addresses, of a server or a client. */
  issue(names: readonly string[], validity?: Validity): SelfSigned;
}

/** An authority of our own; `name` tells it from others. */
export function authority(name: string, validity: Validity = {}): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const own = { issuer: name, issuerKey: keys.privateKey };
  return {
    ...certificate({ ...own, subject: name, names: [], keys, isAuthority: true }, validity),
    issue: (names, within = {}) => {
      const of = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return certificate({ ...own, subject: names[0] ?? '', names, keys: of, isAuthority: false }, within);
    },
  };
}

interface Content {
  readonly subject: string;
  readonly names: readonly string[];
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  readonly keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly isAuthority: boolean;
}

function certificate(
  { subject, names, issuer, issuerKey, keys: { privateKey, publicKey }, isAuthority }: Content,
  { from = Date.now() - 3_600_000, to = Date.now() + 86_400_000 }: Validity,
): SelfSigned {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const ecdsaWithSha256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  const commonName = (name: string): Buffer =>
    sequence(der(0x31, sequence(der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from(name)))));
  const generalNames = names.map((name) =>
    isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name)),
  );
  const alternativeName = sequence(der(0x06, Buffer.from('551d11', 'hex')), der(0x04, sequence(...generalNames)));
  const isTrue = der(0x01, Buffer.of(0xff));
  const basicConstraints = sequence(der(0x06, Buffer.from('551d13', 'hex')), isTrue, der(0x04, sequence(isTrue)));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), createHash('sha256').update(spki).digest().subarray(0, 8)])),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(time(from), time(to)),
    commonName(subject),
    spki,
    der(0xa3, sequence(isAuthority ? basicConstraints : alternativeName)),
  );
  const signature = der(0x03, Buffer.concat([Buffer.of(0), sign('sha256', toBeSigned, issuerKey)]));
  const bytes = sequence(toBeSigned, ecdsaWithSha256, signature).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${(bytes.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const long = content.length < 256 ? [0x81] : [0x82, content.length >> 8];
  const size = Buffer.from([...(content.length < 128 ? [] : long), content.length & 255]);
  return Buffer.concat([Buffer.of(tag), size, content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

/** GeneralizedTime, whole seconds. */
function time(at: number): Buffer {
  return der(0x18, Buffer.from(`${new Date(at).toISOString().replace(/[-:T]|\..*/g, '')}Z`));
}
