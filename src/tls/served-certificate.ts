/** The certificate that a listener shows: looked at again and again, and changed without a restart when its files are. */
import { createHash } from 'node:crypto';
import type { Server, TLSSocket } from 'node:tls';
import type { TlsFiles } from '../config/config.ts';
import { PermanentError } from '../model/errors.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type Certificate, type CertificateTexts, certificateOf, certificateTexts } from './certificate.ts';
import { type Peer, peerOf, watchHandshakes } from './handshakes.ts';
import { LISTENER_TITLES, type ListenerName } from './listener-name.ts';

/** Calls `act` again and again until the returned function is called. */
export type CertificateTimer = (act: () => void) => () => void;

export interface ServedParts {
  readonly files: TlsFiles;
  readonly listener: ListenerName;
  /** True lets in only clients whose certificate is signed by one of `files.caFile`. */
  readonly asksClients: boolean;
  readonly telemetry: Telemetry;
  /** The wall clock. */
  readonly now?: () => EpochMs;
  /** By default one that keeps no process alive. */
  readonly every?: CertificateTimer | undefined;
}

export interface ServedCertificate {
  /** For making the server. */
  readonly options: SecureOptions;
  /** The certificate in use. */
  current(): Certificate;
  /** From now on `server` shows what is in the files, and handshakes that fail are ended and counted. */
  serve(server: Server): void;
  /**
   * True of a connection whose certificate was checked when other authorities were trusted than now: it may end what it asks, and is to connect anew, so that
   * whoever is trusted no more does not stay for ever.
   */
  isOutdated(connection: Peer): boolean;
  /** Looks at the files now, as the timer does. */
  look(): void;
  /** Ends connections whose handshake is not done. To be called when no new ones are taken; safe to call twice. */
  stop(): void;
}

const LOOK_EVERY_MS: DurationMs = 5_000;
/** A client that does not finish its handshake holds a connection for so long; Node's own limit is 120 s. */
const HANDSHAKE_TIMEOUT_MS: DurationMs = 10_000;
/** Who renews certificates does it when a third of their lifetime is left (cert-manager), so what is left now should not be. */
const SOON_SHARE = 0.2;
const SOON_MS: DurationMs = 7 * 24 * 3_600_000;

export type SecureOptions = ReturnType<typeof secureOptions>;

/** Reads the files. Throws a PermanentError that names each that is wrong, and why. */
export function servedCertificate({
  files,
  listener,
  asksClients,
  telemetry,
  now = Date.now,
  every = timer,
}: ServedParts): ServedCertificate {
  let texts = certificateTexts(files);
  const first = certificateOf(files, texts, now());
  if ('faults' in first) throw new PermanentError('tls', `TLS of ${LISTENER_TITLES[listener]}: ${first.faults.join('; ')}`);
  let inUse = first;
  let server: Server | null = null;
  const told = new Map<'refused' | 'expiry', string>();
  let stopTimer: (() => void) | null = null;
  let endUnfinished = (): void => {};
  /** Those that are connected, and who of them was let in by other authorities. */
  const peers = new Set<string>();
  const outdated = new Set<string>();

  /** One line for each thing that is so, not one for each look. */
  const tell = (of: 'refused' | 'expiry', what: string, act: () => void): void => {
    if (told.get(of) === what) return;
    told.set(of, what);
    act();
  };
  const show = (certificate: Certificate): void => {
    telemetry.set('tls_certificate_expiry_timestamp_seconds', Math.floor(certificate.notAfter / 1000), { listener });
  };
  const refuse = (faults: readonly string[]): void =>
    tell('refused', faults.join(), () => {
      telemetry.add('tls_certificate_renewals_total', 1, { listener, result: 'refused' });
      telemetry.log.error(
        { listener, faults, inUseUntil: isoOf(inUse.notAfter) },
        'a renewed certificate is refused; the old one stays in use',
      );
    });
  const renew = (read: CertificateTexts): void => {
    const next = certificateOf(files, read, now());
    if ('faults' in next) {
      refuse(next.faults);
      return;
    }
    try {
      server?.setSecureContext(secureOptions(next, asksClients));
    } catch (error) {
      // What OpenSSL alone finds wrong, such as a key too short for its security level.
      refuse([`${files.certFile}: ${error instanceof Error ? error.message : String(error)}`]);
      return;
    }
    if (asksClients && next.ca !== inUse.ca) for (const peer of peers) outdated.add(peer);
    texts = read;
    inUse = next;
    told.clear();
    show(next);
    telemetry.add('tls_certificate_renewals_total', 1, { listener, result: 'taken' });
    telemetry.log.info({ listener, names: next.names, until: isoOf(next.notAfter) }, 'a renewed certificate is in use');
  };
  const remind = (): void => {
    const leftMs = inUse.notAfter - now();
    const fields = { listener, names: inUse.names, until: isoOf(inUse.notAfter) };
    if (leftMs <= 0) tell('expiry', 'expired', () => telemetry.log.error(fields, 'the certificate in use has expired'));
    else if (leftMs < Math.min(SOON_MS, SOON_SHARE * (inUse.notAfter - inUse.notBefore)))
      tell('expiry', 'soon', () => telemetry.log.warn(fields, 'the certificate in use expires soon'));
  };
  const look = (): void => {
    const read = certificateTexts(files);
    if (hashOf(read) === hashOf(texts)) told.delete('refused');
    // Files that are being changed are looked at when they are done: key and certificate may be of two moments else.
    else if (hashOf(read) === hashOf(certificateTexts(files))) renew(read);
    remind();
  };

  return {
    options: secureOptions(first, asksClients),
    current: () => inUse,
    serve(listening) {
      server = listening;
      listening.on('secureConnection', (socket: TLSSocket) => {
        const peer = peerOf(socket);
        peers.add(peer);
        socket.once('close', () => {
          peers.delete(peer);
          outdated.delete(peer);
        });
      });
      endUnfinished = watchHandshakes(listening, listener, telemetry);
      show(inUse);
      remind();
      stopTimer = every(look);
    },
    isOutdated: (connection) => outdated.size > 0 && outdated.has(peerOf(connection)),
    look,
    stop: () => {
      stopTimer?.();
      stopTimer = null;
      endUnfinished();
    },
  };
}

function secureOptions({ cert, key, ca }: Certificate, asksClients: boolean) {
  return {
    cert,
    key: key.reveal(),
    // Said in words, so that no option of Node.js lowers it.
    minVersion: 'TLSv1.2' as const,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ...(asksClients && ca !== null && { ca, requestCert: true, rejectUnauthorized: true }),
  };
}

function hashOf({ cert, key, ca }: CertificateTexts): string {
  return createHash('sha256')
    .update(JSON.stringify([cert, key, ca]))
    .digest('hex');
}

function isoOf(at: EpochMs): string {
  return new Date(at).toISOString();
}

function timer(act: () => void): () => void {
  const interval = setInterval(act, LOOK_EVERY_MS).unref();
  return () => clearInterval(interval);
}
