import type { Sql } from '../db/database.ts';
import { compareRows, type IncomingRow } from '../db/incoming-rows.ts';
import { columnText, encodeRecord } from '../db/mirror/encode.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { FoundEqual } from '../db/record-digests.ts';
import type { Capabilities } from '../domain/capabilities.ts';
import type { RemoteRecord } from '../domain/record.ts';

interface CompareContext {
  /** Database time from before the records were read. */
  readonly readAt: string;
  /** What tells the newer of two versions; `stamped` where left out. */
  readonly versions?: Capabilities['versions'] | undefined;
}

export interface Candidate {
  readonly record: RemoteRecord;
  readonly row: IncomingRow;
  readonly present: boolean;
  /** The row that stands holds this very version, and yet another value. */
  readonly same: boolean;
}

export interface EncodedRow {
  readonly row: IncomingRow;
  readonly extras: number;
  readonly overflown: readonly string[];
}

export function toRow(table: MirrorTable, record: RemoteRecord): EncodedRow {
  const { values, missing, extras, overflown } = encodeRecord(table, record);
  const row = { id: record.id, values: values.map(columnText), keep: missing };
  return { row, extras, overflown };
}

export async function findCandidates(
  tx: Sql,
  table: MirrorTable,
  read: {
    readonly records: readonly RemoteRecord[];
    readonly encoded: readonly { readonly row: IncomingRow }[];
  },
  { readAt, versions = 'stamped' }: CompareContext,
): Promise<{
  readonly candidates: readonly Candidate[];
  /** Told where any has a trace. */
  readonly equal: readonly FoundEqual[];
  readonly undated: number;
}> {
  if (read.records.length === 0) return { candidates: [], equal: [], undated: 0 };
  const rows = read.encoded.map(({ row }) => row);
  const isNoted = read.records.some(({ trace }) => trace !== undefined);
  const standing = await compareRows(tx, table, { rows, readAt, versions, equal: isNoted });
  const candidates = standing.flatMap(({ index, present, newer, differs, same }) => {
    const record = read.records[index];
    const row = rows[index];
    return record && row && differs && !newer ? [{ record, row, present, same }] : [];
  });
  const equal = standing.flatMap(({ index, differs, undated, place, by }) => {
    const record = read.records[index];
    if (!record || differs || undated || place === null || by === null) return [];
    return [{ record, version: { place, by } }];
  });
  return { candidates, equal, undated: standing.filter(({ undated }) => undated).length };
}

/**
 * Those of the rows now locked that are still older: what another process committed between the
 * comparison and the lock, such as the answer to a push, must not be taken back.
 */
export async function stillOlder(
  tx: Sql,
  table: MirrorTable,
  locked: readonly Candidate[],
  context: CompareContext,
): Promise<readonly Candidate[]> {
  const records = locked.map(({ record }) => record);
  return (await findCandidates(tx, table, { records, encoded: locked }, context)).candidates;
}
