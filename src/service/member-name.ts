/** What a process is called among those that share its work. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** Another one for each life of a process. */
export function memberName(): string {
  return `${hostname()}-${randomBytes(6).toString('hex')}`;
}
