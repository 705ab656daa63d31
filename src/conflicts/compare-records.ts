import type { Sql } from '../db/connection/database.ts';
import { columnText, encodeRecord } from '../db/mirror/encode.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { compareRows, type IncomingRow, lockVersions } from '../db/rows/incoming-rows.ts';
import { lockRows } from '../db/rows/mirror-rows.ts';
import type { FoundEqual } from '../db/rows/record-digests.ts';
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

interface Incoming {
  readonly records: readonly RemoteRecord[];
  /** One for each record. */
  readonly encoded: readonly { readonly row: IncomingRow }[];
}

/** What of the records may be written now. */
export interface Found {
  /** Their rows are locked, or do not stand. */
  readonly free: readonly Candidate[];
  /** Somebody holds their rows. */
  readonly held: readonly RemoteRecord[];
  /** Told where any has a trace. */
  readonly equal: readonly FoundEqual[];
  readonly undated: number;
}

/**
 * Records that differ from their rows and are not older, their rows locked. Of what is read most is
 * equal, so that it is compared first and locked then; and compared once more, for what another
 * process committed in between, such as the answer to a push, must not be taken back.
 */
export async function lockDiffering(
  tx: Sql,
  table: MirrorTable,
  read: Incoming,
  context: CompareContext,
): Promise<Found> {
  const { candidates, equal, undated } = await findCandidates(tx, table, read, context);
  const present = candidates.filter((c) => c.present);
  const locked = await lockRows(
    tx,
    table,
    present.map(({ record }) => record.id),
  );
  const mine = present.filter(({ record }) => locked.has(record.id));
  const records = mine.map(({ record }) => record);
  const still = await findCandidates(tx, table, { records, encoded: mine }, context);
  const held = present.flatMap(({ record }) => (locked.has(record.id) ? [] : [record]));
  const free = [...candidates.filter((c) => !c.present), ...still.candidates];
  return { free, held, equal, undated };
}

/**
 * {@link lockDiffering} for answers to writes. Hardly one is equal to its row: they are locked first, and
 * measured by their versions in that statement. What is equal all the same is left alone by the writing.
 */
export async function lockAnswered(
  tx: Sql,
  table: MirrorTable,
  { records, encoded }: Incoming,
  context: CompareContext,
): Promise<Found> {
  const { readAt, versions = 'stamped' } = context;
  const rows = encoded.map(({ row }) => row);
  const locked = await lockVersions(tx, table, { rows, readAt, versions });
  const pairs = records.flatMap((record, at) => {
    const row = rows[at];
    return row === undefined ? [] : [{ record, row }];
  });
  const mine = pairs.flatMap(({ record, row }): readonly Candidate[] => {
    const standing = locked.get(record.id);
    if (standing === undefined || standing.newer) return [];
    return [{ record, row, present: true, same: standing.same }];
  });
  const others = pairs.filter(({ record }) => !locked.has(record.id));
  const unlocked = { records: others.map(({ record }) => record), encoded: others };
  const { candidates, undated } = await findCandidates(tx, table, unlocked, context);
  const dateless = [...locked.values()].filter((standing) => standing.undated).length;
  return {
    free: [...mine, ...candidates.filter((c) => !c.present)],
    held: candidates.flatMap(({ record, present }) => (present ? [record] : [])),
    equal: [],
    undated: undated + dateless,
  };
}

async function findCandidates(
  tx: Sql,
  table: MirrorTable,
  read: Incoming,
  { readAt, versions = 'stamped' }: CompareContext,
): Promise<{ readonly candidates: readonly Candidate[] } & Pick<Found, 'equal' | 'undated'>> {
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
