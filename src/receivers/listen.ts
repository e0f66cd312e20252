/** Binds a server to its address, with errors that name it. */
import type { Server } from 'node:net';
import type { ListenAddress } from '../config/config.ts';
import { PermanentError } from '../model/errors.ts';

/** Listens and returns `host:port` with the port that was taken. Throws PermanentError naming `what` and the address. */
export async function listen(server: Server, { host, port }: ListenAddress, what: string): Promise<string> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new PermanentError(code, `listening for ${what} on ${hostPort(host, port)}: ${reasonOf(code, cause)}`, { cause });
  }
  const bound = server.address();
  return hostPort(host, bound !== null && typeof bound === 'object' ? bound.port : port);
}

function reasonOf(code: string, cause: unknown): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'the address is in use by another process';
    case 'EACCES':
      return 'the port needs more rights than this process has';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
