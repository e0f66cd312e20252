/** Who of a group reads which partitions: even shares, few of which move when members come and go. */
import { createHash } from 'node:crypto';

/**
 * Each partition goes to the member that ranks highest for it and whose share is not full; shares differ by one at most. A rank is a hash of member and
 * partition (rendezvous hashing, Thaler and Ravishankar 1996), so every leader finds the same without knowing who had what. By contrast kafkajs' own
 * assigner deals them out in the order of random member ids: there nearly everything moves when one member restarts.
 */
export function shares(members: readonly string[], partitions: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map(members.map((member) => [member, [] as string[]]));
  if (members.length === 0) return found;
  const even = Math.floor(partitions.length / members.length);
  let extras = partitions.length % members.length;
  for (const partition of [...partitions].sort()) {
    const ranked = [...found]
      .map(([member, share]) => ({ share, rank: rankOf(member, partition) }))
      .sort((a, b) => (a.rank < b.rank ? 1 : -1));
    const taker = ranked.find(({ share }) => share.length < even || (share.length === even && extras > 0));
    if (taker === undefined) continue;
    if (taker.share.length === even) extras--;
    taker.share.push(partition);
  }
  return found;
}

function rankOf(member: string, partition: string): string {
  return createHash('sha256').update(`${member}\0${partition}`).digest('hex');
}
