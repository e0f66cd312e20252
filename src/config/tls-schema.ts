/** TLS of our own listeners, as the process file has it. */
import { resolve } from 'node:path';
import { z } from 'zod';
import type { TlsFiles } from './config.ts';

const file = z.string().min(1).max(4096);
const certFile = file.describe(
  'Our certificate (PEM), those that lead to its authority behind it; relative to this file. A renewed one is used for new connections, without a restart.',
);
const keyFile = file.describe('Its private key (PEM), without a passphrase.');

export const receiversTls = z
  .strictObject({
    certFile,
    keyFile,
    clientCaFile: file
      .optional()
      .describe(
        'Certificates (PEM) of the authorities whose clients may send; others are not let in. Left out: no certificate is asked of senders.',
      ),
  })
  .optional()
  .describe(
    'Both receivers of OTLP speak TLS 1.2 or newer, and nothing else. Left out: no TLS. Use it wherever senders are on other machines.',
  );

export const apiTls = z
  .strictObject({
    certFile,
    keyFile,
    caFile: file
      .optional()
      .describe(
        'Certificates (PEM) with which members that share the work check each other. Left out: those that Node.js trusts. Use it with an authority of your own.',
      ),
  })
  .optional()
  .describe('The API speaks TLS 1.2 or newer, and nothing else. Left out: no TLS. Use it wherever tokens come from other machines.');

interface TlsDocument {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile?: string | undefined;
  readonly caFile?: string | undefined;
}

/** Paths start at `base`; null: no TLS. The files are read where something listens. */
export function tlsFiles(document: TlsDocument | undefined, base: string): TlsFiles | null {
  if (document === undefined) return null;
  const ca = document.clientCaFile ?? document.caFile;
  return {
    certFile: resolve(base, document.certFile),
    keyFile: resolve(base, document.keyFile),
    caFile: ca === undefined ? null : resolve(base, ca),
  };
}
