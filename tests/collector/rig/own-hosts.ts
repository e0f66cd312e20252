/** A table of host names that one program alone sees, as a headless service would resolve them: `/etc/hosts` of a mount namespace of its own. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const UNSHARE = ['unshare', '--map-root-user', '--mount'];

/** The reason why this machine lets nobody do that; null: it does. */
export function missingOwnHosts(): string | null {
  const { status } = spawnSync('unshare', [...UNSHARE.slice(1), 'mount', '--bind', '/etc/hosts', '/etc/hosts'], { stdio: 'ignore' });
  return status === 0 ? null : 'no mount namespaces';
}

export class OwnHosts {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, 'hosts');
  }

  /** In place, since the program sees this very file. */
  resolve(name: string, addresses: readonly string[]): void {
    writeFileSync(this.#file, ['127.0.0.1 localhost', ...addresses.map((address) => `${address} ${name}`), ''].join('\n'));
  }

  /** Goes before a command. */
  get within(): readonly string[] {
    return [...UNSHARE, 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', this.#file];
  }
}
