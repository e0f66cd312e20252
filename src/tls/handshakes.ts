/** Counts connections that ended before TLS was spoken, by why, and says so in the log now and then. */
import type { Server, TLSSocket } from 'node:tls';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { ListenerName } from './listener-name.ts';

type Reason = 'client_certificate' | 'protocol' | 'not_tls' | 'timeout' | 'closed' | 'other';

/** One line a minute for each reason: a port that is scanned must not fill the log. */
const TELL_EVERY_MS = 60_000;

export function countHandshakes(server: Server, listener: ListenerName, telemetry: Telemetry): void {
  const toldAtMs = new Map<Reason, number>();
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const reason = reasonOf(error, socket);
    telemetry.add('tls_handshake_failures_total', 1, { listener, reason });
    const atMs = performance.now();
    if (atMs - (toldAtMs.get(reason) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return;
    toldAtMs.set(reason, atMs);
    const peer = socket.remoteAddress;
    const said = reasonText(error.message);
    telemetry.log.warn({ listener, reason, ...(peer !== undefined && { peer }), error: said }, 'a client could not be spoken to by TLS');
  });
}

/** OpenSSL's messages come with the line of its source; the reason is in the middle. */
export function reasonText(message: string): string {
  const reason = /\berror:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(message)?.[1];
  return reason === undefined ? message : `TLS: ${reason}`;
}

/** Codes are OpenSSL's reasons, as Node.js writes them. */
function reasonOf(error: NodeJS.ErrnoException, socket: TLSSocket): Reason {
  const code = error.code ?? '';
  // Node.js lets the handshake end, judges the certificate and closes.
  if (socket.authorizationError != null || /CERTIFICATE/.test(code)) return 'client_certificate';
  if (/HTTP_REQUEST|WRONG_VERSION_NUMBER|INVALID_RECORD|PACKET_LENGTH|RECORD_LAYER/.test(code)) return 'not_tls';
  if (/PROTOCOL|VERSION|NO_SHARED_CIPHER|INAPPROPRIATE|CIPHER/.test(code)) return 'protocol';
  if (/TIMEOUT/.test(code)) return 'timeout';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'closed';
  return 'other';
}
