/** Key and certificates in a folder, as a Secret is mounted: swapped all at once by one symbolic link, or written one by one. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TlsFiles } from '../../src/config/config.ts';
import type { SelfSigned } from '../support/self-signed.ts';

export class CertificateFiles implements TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string | null;
  readonly folder: string;
  #versions = 0;

  /** Removed when the test ends. `ca`: PEM of `ca.crt`. */
  constructor({ cert, key }: SelfSigned, ca: string | null = null) {
    this.folder = mkdtempSync(join(tmpdir(), 'slipstream-tls-'));
    onTestFinished(() => rmSync(this.folder, { recursive: true }));
    this.certFile = join(this.folder, 'tls.crt');
    this.keyFile = join(this.folder, 'tls.key');
    this.caFile = ca === null ? null : join(this.folder, 'ca.crt');
    this.swap({ cert, key }, ca);
    for (const name of ['tls.crt', 'tls.key', ...(ca === null ? [] : ['ca.crt'])])
      symlinkSync(join('..data', name), join(this.folder, name));
  }

  /** As a kubelet does when the Secret has changed. */
  swap({ cert, key }: SelfSigned, ca: string | null = null): void {
    const version = `..${++this.#versions}`;
    mkdirSync(join(this.folder, version));
    writeFileSync(join(this.folder, version, 'tls.crt'), cert);
    writeFileSync(join(this.folder, version, 'tls.key'), key);
    if (ca !== null) writeFileSync(join(this.folder, version, 'ca.crt'), ca);
    symlinkSync(version, join(this.folder, '..next'));
    renameSync(join(this.folder, '..next'), join(this.folder, '..data'));
  }
}
