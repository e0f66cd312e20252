/** The address of our API for other members, where the configuration names none. */
import { networkInterfaces } from 'node:os';

const LOOPBACK = /^(127\.|localhost$|::1$|\[::1\]$)/;
const ANY = /^(0\.0\.0\.0|::|\[::\])$/;

/** The host that is listened on; for all of them the first address that others can reach, or loopback when there is none. */
export function advertisedUrl(host: string, port: number, scheme: 'http' | 'https' = 'http'): string {
  if (LOOPBACK.test(host)) return `${scheme}://127.0.0.1:${port}`;
  if (!ANY.test(host)) return `${scheme}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return `${scheme}://${outer?.address ?? '127.0.0.1'}:${port}`;
}
