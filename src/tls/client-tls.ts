/** Speaks HTTP to servers whose certificates an authority of our own signed, and shows a certificate where one is asked for. */
import { Agent, fetch as fetchBy } from 'undici';
import type { Secret } from '../config/secret.ts';

/** PEM. */
export interface ClientTls {
  /** Who may have signed the certificate of the server; absent: whom Node.js trusts. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: Secret | undefined;
  /** False takes any certificate: for listeners of our own on this machine only. */
  readonly isChecked: boolean;
}

/** Options of `tls.connect` that say the same. */
export function connectOptions({ ca, cert, key, isChecked }: ClientTls) {
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: isChecked,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key: key.reveal() }),
  } as const;
}

export type Fetch = (url: string, request?: RequestInit) => Promise<Response>;

/** `fetch` that speaks TLS so; redirects and everything else as usual. Connections end soon after they are idle. */
export function fetchOver(tls: ClientTls): Fetch {
  const dispatcher = new Agent({ connect: connectOptions(tls) });
  // Both are the Fetch standard; their types differ in what they leave open.
  return async (url, request) => (await fetchBy(url, { ...(request as object), dispatcher })) as unknown as Response;
}
