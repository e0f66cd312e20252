/** From state of version 2, where a delivery was over once the other side had taken it, and nobody was told of those that were not. */
import type { DatabaseSync } from 'node:sqlite';
import { rowChecksum } from './row-checksum.ts';
import { DELIVERY_TABLE } from './sqlite-schema.ts';

interface DeliveryBefore {
  readonly signal_id: string;
  readonly sink: string;
  readonly state: string;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly updated_at: number;
}

/** Part of a transaction that others began. What was over stays so: nothing is read back of signals that may be months old. */
export function upgradeDeliveries(database: DatabaseSync): void {
  database.exec(`alter table deliveries rename to deliveries_before; ${DELIVERY_TABLE}`);
  const put = database.prepare(
    `insert into deliveries (signal_id, sink, state, is_open, attempts, last_error, escalated_at, updated_at, crc)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const before = database.prepare('select signal_id, sink, state, attempts, last_error, updated_at from deliveries_before').all();
  for (const { signal_id, sink, state, attempts, last_error, updated_at } of before as unknown as readonly DeliveryBefore[]) {
    const isOpen = Number(state === 'pending' || state === 'sent');
    const row = [signal_id, sink, state, isOpen, attempts, last_error, null, updated_at] as const;
    put.run(...row, rowChecksum(row));
  }
  database.exec('drop table deliveries_before');
}
