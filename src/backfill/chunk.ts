import type { CopyBuffer } from '../db/backfill/copy-buffer.ts';
import { type ColumnValue, type EncodedRecord, encodeRecord } from '../db/mirror/encode.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { SyncError } from '../domain/errors.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { judgeStamping, type Stamping } from '../domain/stamping.ts';

interface Tally {
  /** Database time from before the records were read. */
  readonly readAt: string;
  /** What the records, and those before them, say of the server. */
  stamping: Stamping;
  /** Records read, versions that came twice included. */
  read: number;
  /** Of these, records that had been read before: no progress. */
  again: number;
  /** Rows to write, and about how long they are. */
  rows: number;
  bytes: number;
  /** Values that went to `_extra`. */
  extras: number;
  /** Fields of these for which a number has more digits than their column. */
  readonly overflown: Set<string>;
  /** Records that Postgres cannot hold. */
  refused: number;
}

/**
 * Records to be copied. Only their bytes are kept: thousands of records under way would weigh ten
 * times as much, and outlive the collector's quick rounds.
 */
export interface CopyChunk extends Tally {
  readonly mode: 'copy';
  readonly buffer: CopyBuffer;
  readonly ids: string[];
  /** Records that tell of links or merges. */
  readonly telling: RemoteRecord[];
}

/** Records to be merged, each once and in its newest version; by position. */
export interface MergeChunk extends Tally {
  readonly mode: 'merge';
  readonly records: RemoteRecord[];
  readonly encoded: EncodedRecord[];
  readonly positions: Map<string, number>;
}

export type Chunk = CopyChunk | MergeChunk;

/** @param buffer to be used again, once the chunk before has taken its rows from it. */
export function newChunk(
  mode: Chunk['mode'],
  readAt: string,
  stamping: Stamping,
  buffer: CopyBuffer,
): Chunk {
  const tally = {
    readAt,
    stamping,
    read: 0,
    again: 0,
    rows: 0,
    bytes: 0,
    extras: 0,
    overflown: new Set<string>(),
    refused: 0,
  };
  if (mode === 'merge') return { ...tally, mode, records: [], encoded: [], positions: new Map() };
  buffer.clear();
  return { ...tally, mode, buffer, ids: [], telling: [] };
}

export function addRecords(
  chunk: Chunk,
  table: MirrorTable,
  records: readonly RemoteRecord[],
): void {
  chunk.stamping = judgeStamping(chunk.stamping, records);
  chunk.read += records.length;
  if (chunk.mode === 'copy') addBytes(chunk, table, records);
  else for (const record of records) addVersion(chunk, table, record);
}

function addBytes(chunk: CopyChunk, table: MirrorTable, records: readonly RemoteRecord[]): void {
  for (const record of records) {
    // Nothing stands that could have been merged before.
    const encoded = encode(chunk, table, record, NONE);
    if (encoded === null) continue;
    chunk.buffer.append(encoded.values);
    chunk.rows += 1;
    chunk.ids.push(record.id);
    if (isTelling(record)) chunk.telling.push(record);
  }
  chunk.bytes = chunk.buffer.length;
}

function isTelling({ mergedIds, links }: RemoteRecord): boolean {
  if (mergedIds !== null && mergedIds.length > 0) return true;
  for (const field in links) if (Object.hasOwn(links, field) && links[field]?.ids[0]) return true;
  return false;
}

function addVersion(chunk: MergeChunk, table: MirrorTable, record: RemoteRecord): void {
  const known = chunk.positions.get(record.id);
  const other = known === undefined ? undefined : chunk.records[known];
  // The later one is the newer one where both say the same.
  if (other && (record.updatedAt ?? '') < (other.updatedAt ?? '')) return;
  const encoded = encode(chunk, table, record);
  if (encoded === null) return;
  const position = known ?? chunk.rows;
  chunk.positions.set(record.id, position);
  chunk.records[position] = record;
  chunk.encoded[position] = encoded;
  chunk.rows = chunk.encoded.length;
  for (const value of encoded.values) chunk.bytes += value === null ? 0 : value.toString().length;
}

const NONE: ColumnValue = [];

/** One bad record harms only itself (invariant 10). */
function encode(
  chunk: Chunk,
  table: MirrorTable,
  record: RemoteRecord,
  untoldMerges: ColumnValue = null,
): EncodedRecord | null {
  try {
    const encoded = encodeRecord(table, record, untoldMerges);
    chunk.extras += encoded.extras;
    for (const field of encoded.overflown) chunk.overflown.add(field);
    return encoded;
  } catch (error) {
    if (!(error instanceof SyncError) || error.disposition !== 'park') throw error;
    chunk.refused += 1;
    return null;
  }
}
