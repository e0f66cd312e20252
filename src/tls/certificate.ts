/** Reads key and certificates of a listener, and says what is wrong with them before a client does. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsFiles } from '../config/config.ts';
import { Secret } from '../config/secret.ts';
import type { EpochMs } from '../model/time.ts';

export interface Certificate {
  /** PEM: ours, then those that lead to its authority. */
  readonly cert: string;
  readonly key: Secret;
  /** PEM; null where none is named. */
  readonly ca: string | null;
  readonly notBefore: EpochMs;
  /** From then on it is not valid. */
  readonly notAfter: EpochMs;
  /** For people: the names it is for. */
  readonly names: string;
}

/** Files as they were at one moment; a text is null where the file could not be read. */
export interface CertificateTexts {
  readonly cert: string | null;
  readonly key: string | null;
  readonly ca: string | null;
}

const MAX_CERTIFICATES = 1000;
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const PEM_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/;

export function certificateTexts(files: TlsFiles): CertificateTexts {
  return { cert: textOf(files.certFile), key: textOf(files.keyFile), ca: files.caFile === null ? null : textOf(files.caFile) };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** What a client would find wrong is found here: else each line names a file and what is wrong with it, never its content. */
export function certificateOf(
  files: TlsFiles,
  texts: CertificateTexts,
  now: EpochMs,
): Certificate | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  const fault = (file: string, text: string): void => void faults.push(`${file}: ${text}`);
  const [own] = certificatesIn(files.certFile, texts.cert, fault);
  const key = keyIn(files.keyFile, texts.key, fault);
  if (own !== undefined && key !== null && !own.checkPrivateKey(key))
    fault(files.keyFile, `this is not the key of the certificate in ${files.certFile}`);
  if (own !== undefined) {
    if (own.validToDate.getTime() <= now) fault(files.certFile, `the certificate expired on ${own.validToDate.toISOString()}`);
    if (own.validFromDate.getTime() > now) fault(files.certFile, `the certificate is not valid before ${own.validFromDate.toISOString()}`);
  }
  if (files.caFile !== null) {
    const authorities = certificatesIn(files.caFile, texts.ca, fault);
    if (authorities.length > 0 && authorities.every(({ validToDate }) => validToDate.getTime() <= now))
      fault(files.caFile, 'all authorities in it have expired');
  }
  if (faults.length > 0 || own === undefined || texts.cert === null || texts.key === null) return { faults };
  const names = own.subjectAltName ?? own.subject.replaceAll('\n', ', ');
  return {
    cert: texts.cert,
    key: new Secret(texts.key),
    ca: texts.ca,
    notBefore: own.validFromDate.getTime(),
    notAfter: own.validToDate.getTime(),
    names,
  };
}

type Fault = (file: string, text: string) => void;

function certificatesIn(file: string, text: string | null, fault: Fault): readonly X509Certificate[] {
  if (text === null) {
    fault(file, 'the file does not exist or cannot be read');
    return [];
  }
  const blocks = text.match(PEM_BLOCK) ?? [];
  if (blocks.length === 0)
    fault(file, PEM_KEY.test(text) ? 'this is a private key, and no certificate' : 'no certificate (PEM) in this file');
  if (blocks.length > MAX_CERTIFICATES) fault(file, `more than ${MAX_CERTIFICATES} certificates`);
  const read: X509Certificate[] = [];
  for (const [index, block] of blocks.slice(0, MAX_CERTIFICATES).entries()) {
    try {
      read.push(new X509Certificate(block));
    } catch {
      fault(file, `certificate ${index + 1} of it cannot be read`);
    }
  }
  return read;
}

function keyIn(file: string, text: string | null, fault: Fault): KeyObject | null {
  if (text === null) fault(file, 'the file does not exist or cannot be read');
  else if (!PEM_KEY.test(text)) fault(file, 'no private key (PEM) in this file');
  else {
    try {
      return createPrivateKey(text);
    } catch (error) {
      const isLocked = error instanceof Error && 'code' in error && error.code === 'ERR_MISSING_PASSPHRASE';
      fault(file, isLocked ? 'the private key has a passphrase, and there is nobody to type it' : 'the private key cannot be read');
    }
  }
  return null;
}
