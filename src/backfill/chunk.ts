import { type CopyLine, copyLine } from '../db/backfill-copy.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { SyncError } from '../domain/errors.ts';
import type { RemoteRecord } from '../domain/record.ts';

/** Records that are written in one transaction, each once and in its newest version. */
export interface Chunk {
  /** Database time from before they were read. */
  readonly readAt: string;
  readonly records: RemoteRecord[];
  /** By position, as `records`. */
  readonly lines: CopyLine[];
  readonly positions: Map<string, number>;
  /** Records read, versions that came twice included. */
  read: number;
  /** Of the lines' text. */
  characters: number;
  /** Records that Postgres cannot hold. */
  refused: number;
}

export function newChunk(readAt: string): Chunk {
  const none = { read: 0, characters: 0, refused: 0 };
  return { readAt, records: [], lines: [], positions: new Map(), ...none };
}

export function addRecord(chunk: Chunk, table: MirrorTable, record: RemoteRecord): void {
  chunk.read += 1;
  const known = chunk.positions.get(record.id);
  const other = known === undefined ? undefined : chunk.records[known];
  // The later position is the newer one where both say the same.
  if (other && (record.updatedAt ?? '') < (other.updatedAt ?? '')) return;
  const line = lineOf(table, record);
  if (line === null) {
    chunk.refused += 1;
    return;
  }
  const position = known ?? chunk.records.length;
  chunk.characters += line.text.length;
  chunk.positions.set(record.id, position);
  chunk.records[position] = record;
  chunk.lines[position] = line;
}

/** One bad record harms only itself (invariant 10). */
function lineOf(table: MirrorTable, record: RemoteRecord): CopyLine | null {
  try {
    return copyLine(table, record);
  } catch (error) {
    if (error instanceof SyncError && error.disposition === 'park') return null;
    throw error;
  }
}
