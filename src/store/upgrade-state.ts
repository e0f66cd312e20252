/** Takes up a state file of an earlier version, step by step, all or nothing. */
import type { DatabaseSync } from 'node:sqlite';
import { SCHEMA_VERSION } from './sqlite-schema.ts';
import { upgradeCounts } from './upgrade-counts.ts';
import { upgradeDeliveries } from './upgrade-deliveries.ts';
import { CHECKED_COLUMNS, verifyRows } from './verify-rows.ts';

type CheckedColumns = typeof CHECKED_COLUMNS;

const OF_VERSION_2: CheckedColumns = {
  ...CHECKED_COLUMNS,
  deliveries: ['signal_id', 'sink', 'state', 'attempts', 'last_error', 'updated_at'],
};
const { count_keys: _, ...WITHOUT_KEYS } = OF_VERSION_2;
const OF_VERSION_1: CheckedColumns = { ...WITHOUT_KEYS, counts: ['objective', 'level', 'start_sec', 'valid', 'bad'] };

/** What leads from a version to the next one, and the columns under the checksum there. */
const STEPS: ReadonlyMap<number, { readonly checked: CheckedColumns; readonly step: (database: DatabaseSync) => void }> = new Map([
  [1, { checked: OF_VERSION_1, step: upgradeCounts }],
  [2, { checked: OF_VERSION_2, step: upgradeDeliveries }],
]);

export function isUpgradable(version: number): boolean {
  return STEPS.has(version);
}

/** False, having changed nothing, when the file is not as its version wrote it; all or nothing otherwise. */
export function upgrade(database: DatabaseSync, version: number): boolean {
  if (!verifyRows(database, STEPS.get(version)?.checked)) return false;
  database.exec('begin immediate');
  for (let from = version; from < SCHEMA_VERSION; from++) STEPS.get(from)?.step(database);
  database.exec(`pragma user_version = ${SCHEMA_VERSION}; commit;`);
  return true;
}
