/** Ends connections that do not come to speak TLS, counts them by why, and says so in the log now and then. */
import type { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import { Seldom } from '../telemetry/seldom.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { ListenerName } from './listener-name.ts';
import { isOwnLook } from './own-looks.ts';

type Reason = 'client_certificate' | 'protocol' | 'not_tls' | 'timeout' | 'closed' | 'other';

/** The returned function ends connections whose handshake is not done: nothing was asked over them, and a server that closes would wait for them. */
export function watchHandshakes(server: Server, listener: ListenerName, telemetry: Telemetry): () => void {
  // A port that is scanned must not fill the log.
  const told = new Seldom<Reason>();
  const unfinished = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    unfinished.set(peer, socket);
    socket.once('close', () => {
      if (unfinished.get(peer) === socket) unfinished.delete(peer);
    });
  });
  server.on('secureConnection', (socket: TLSSocket) => unfinished.delete(peerOf(socket)));
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const { remoteAddress: peer, localAddress, remotePort } = socket;
    const isOurs = isOwnLook(peer, localAddress, remotePort);
    // Node.js leaves a connection open whose handshake took too long: whoever keeps silent would hold it for ever.
    socket.destroy();
    if (isOurs) return;
    const reason = reasonOf(error, socket);
    telemetry.add('tls_handshake_failures_total', 1, { listener, reason });
    // Probes of load balancers and kubelets connect and close, and want nothing else.
    if (reason === 'closed' || !told.isDue(reason)) return;
    const said = reasonText(error.message);
    telemetry.log.warn({ listener, reason, ...(peer !== undefined && { peer }), error: said }, 'a client could not be spoken to by TLS');
  });
  return () => {
    for (const socket of unfinished.values()) socket.destroy();
  };
}

/** The other end of a connection. */
export type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>;

/** Of one listener, the same for no two connections at once. */
export function peerOf({ remoteAddress, remotePort }: Peer): string {
  return `${remoteAddress} ${remotePort}`;
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
