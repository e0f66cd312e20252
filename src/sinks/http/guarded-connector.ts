/** Opens connections to allowed addresses only: what a name means is looked up and judged for each connection anew. */
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { DurationMs } from '../../model/time.ts';
import { type AddressRule, withoutBrackets } from './address-rule.ts';

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

export const systemResolve: Resolve = (host) => lookup(host, { all: true, order: 'verbatim' });

/** No address of the host may be connected to; `rule` says by which rule the last of them was refused. */
export class AddressRefused extends Error {
  readonly rule: string;

  constructor(rule: string) {
    super(`address refused: ${rule}`);
    this.name = 'AddressRefused';
    this.rule = rule;
  }
}

export interface ConnectorParts {
  readonly rule: AddressRule;
  readonly resolve: Resolve;
  /** For connecting, TLS included. */
  readonly timeoutMs: DurationMs;
  /** Certificates to trust in place of the system's, PEM. */
  readonly ca?: string | undefined;
}

/**
 * A connector of undici. Names are judged inside the lookup whose addresses are then connected to, so that a name server cannot answer the check in one
 * way and the connection in another. Addresses in a URL are never looked up and are judged here.
 */
export function guardedConnector({ rule, resolve, timeoutMs, ca }: ConnectorParts): buildConnector.connector {
  const allowed: LookupFunction = (host, options, callback) => {
    resolve(host).then(
      (addresses) => {
        const kept: LookupAddress[] = [];
        let refusal = 'no address';
        for (const one of addresses) {
          const refused = rule.refusal(one.address, host);
          if (refused === null) kept.push(one);
          else refusal = refused;
        }
        const [first] = kept;
        if (first === undefined) callback(new AddressRefused(refusal), []);
        else if (options.all) callback(null, kept);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error('look-up failed'), []),
    );
  };
  const connect = buildConnector({
    timeout: timeoutMs,
    allowH2: false,
    lookup: allowed,
    autoSelectFamily: true,
    // Said in words, so that no variable of the environment turns it off.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
  });
  return (to, callback) => {
    const host = withoutBrackets(to.hostname);
    const refusal = isIP(host) === 0 ? null : rule.refusal(host, host);
    if (refusal === null) connect(to, callback);
    else process.nextTick(() => callback(new AddressRefused(refusal), null));
  };
}
