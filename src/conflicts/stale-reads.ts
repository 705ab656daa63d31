import type { Sql } from '../db/connection/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readFields } from '../db/outbox/adoption.ts';
import { type RecentWrite, readRecentWrites } from '../db/outbox/recent.ts';
import { lookAgain } from '../db/position/hints.ts';
import type { Capabilities } from '../domain/capabilities.ts';
import { sameValue } from '../domain/equal.ts';
import type { Json } from '../domain/json.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Field } from '../domain/schema.ts';
import { stillShows } from '../domain/still-shows.ts';

export interface StaleContext {
  readonly readAt: string;
  readonly crmMinusDatabaseMs: number;
  /** How late a write may show in what was read; 0, or left out, where it cannot. */
  readonly lateMs?: number | undefined;
  readonly versions?: Capabilities['versions'] | undefined;
}

/**
 * Without the records that are older than what was sent of them: reading may be late by so much,
 * and where stamps do not tell (`versions: read`, or both are stamped alike) nothing else would. One that does not show a value
 * that arrived shortly before is older, unless the field was written since, by its own time. It is
 * read again once that is certain. For rows that are locked; costs one look-up where any differ.
 */
export async function withoutStale<
  C extends { readonly record: RemoteRecord; readonly same: boolean },
>(
  tx: Sql,
  table: MirrorTable,
  candidates: readonly C[],
  { readAt, crmMinusDatabaseMs, lateMs = 0, versions = 'stamped' }: StaleContext,
): Promise<readonly C[]> {
  const untold = candidates.filter(({ same }) => same || versions === 'read');
  if (lateMs === 0 || untold.length === 0) return candidates;
  const ids = untold.map(({ record }) => record.id);
  const recent = await readRecentWrites(tx, table.object, ids, { readAt, withinMs: lateMs });
  if (recent.size === 0) return candidates;
  const rows = await readFields(tx, table, [...recent.keys()]);
  const doubted: { readonly id: string; readonly since: string }[] = [];
  for (const { record } of untold) {
    const row = rows.get(record.id);
    if (row === undefined) continue;
    for (const [name, write] of recent.get(record.id) ?? []) {
      const field = table.byField.get(name)?.field;
      const stands = { row: row.get(name) ?? null, write, crmMinusDatabaseMs };
      if (field === undefined || !isOlder(field, record, stands)) continue;
      doubted.push({ id: record.id, since: new Date(write.doneAtMs).toISOString() });
      break;
    }
  }
  await lookAgain(tx, table.object, doubted);
  const isDoubted = new Set(doubted.map(({ id }) => id));
  return candidates.filter(({ record }) => !isDoubted.has(record.id));
}

function isOlder(
  field: Field,
  { fields, writes }: RemoteRecord,
  stands: {
    readonly row: Json;
    readonly write: RecentWrite;
    readonly crmMinusDatabaseMs: number;
  },
): boolean {
  const shown = Object.hasOwn(fields, field.name) ? fields[field.name] : undefined;
  if (shown === undefined || sameValue(field, shown, stands.row)) return false;
  const { value, doneAtMs } = stands.write;
  if (stillShows(field, value, shown)) return false;
  const writtenAtMs = writes?.[field.name]?.atMs;
  return writtenAtMs === undefined || writtenAtMs <= doneAtMs + stands.crmMinusDatabaseMs;
}
