/** Handshakes that this process begins with its own listeners, and breaks off, to see that they speak TLS: no failures of a client. */

const PORTS = new Set<number>();

/** From now until the returned function is called, connections from this local port are a look of our own. */
export function lookFrom(port: number): () => void {
  PORTS.add(port);
  return () => void PORTS.delete(port);
}

/** `remote` equals `local` where both ends are on this machine. */
export function isOwnLook(remote: string | undefined, local: string | undefined, remotePort: number | undefined): boolean {
  return remote !== undefined && remote === local && remotePort !== undefined && PORTS.has(remotePort);
}
