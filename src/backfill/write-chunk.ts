import { type ApplyContext, type ApplyCounts, applyRecords } from '../conflicts/apply-records.ts';
import type { ReadDeps } from '../conflicts/read-object.ts';
import { copyColumns, copyInto, isAnyKnown, isOccupied } from '../db/backfill-copy.ts';
import {
  compareStage,
  fillStage,
  insertStaged,
  readKnown,
  updateStaged,
} from '../db/backfill-stage.ts';
import type { Sql, Transaction } from '../db/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { lockRows } from '../db/mirror-rows.ts';
import type { Chunk } from './chunk.ts';

/** Waiting for a row means that a user holds it, and then it is merged, not copied. */
const COPY_LOCK_MS = 500;

export interface WriteOptions {
  /** The mirror held no records when the backfill began, so COPY meets none but its own. */
  readonly direct: boolean;
  /** Runs in the transaction that writes the records: invariant 8. */
  readonly save: (tx: Sql) => Promise<void>;
}

/** Writes a chunk, and the progress it makes, in one transaction. Safe to repeat. */
export async function writeChunk(
  deps: ReadDeps,
  table: MirrorTable,
  chunk: Chunk,
  { direct, save }: WriteOptions,
): Promise<ApplyCounts> {
  const copied = direct ? await copyChunk(deps, table, chunk, save) : null;
  if (copied !== null) return copied;
  return await deps.db.transaction(
    async (tx) => {
      const counts = await mergeChunk(deps, table, chunk, tx);
      await save(tx);
      return counts;
    },
    { asWriter: true },
  );
}

export function contextOf(deps: ReadDeps, table: MirrorTable, readAt: string): ApplyContext {
  return {
    readAt,
    clockSkewMs: deps.remote.clockSkewMs ?? 0,
    policyOf: (field) => deps.policyOf(table.object, field),
  };
}

class RowsAreKnown extends Error {}

/** COPY straight into the mirror; null, and nothing done, where any record needs more than that. */
async function copyChunk(
  deps: ReadDeps,
  table: MirrorTable,
  chunk: Chunk,
  save: (tx: Sql) => Promise<void>,
): Promise<ApplyCounts | null> {
  const ids = chunk.records.map(({ id }) => id);
  try {
    await deps.db.transaction(
      async (tx) => {
        if (ids.length > 0) {
          const target = { table: table.qualified, columns: copyColumns(table) };
          await copyInto(tx, target, textOf(chunk));
          if (await isAnyKnown(tx, table.object, ids)) throw new RowsAreKnown();
        }
        await save(tx);
      },
      { asWriter: true, lockTimeoutMs: COPY_LOCK_MS },
    );
  } catch (error) {
    if (error instanceof RowsAreKnown || isOccupied(error)) return null;
    throw error;
  }
  return { ...NOTHING, inserted: ids.length, extra: extrasOf(chunk.lines) };
}

/**
 * Merges a chunk with what stands, in the order of `applyRecords`: compare, lock without waiting,
 * read the outbox in a later statement. What is plainly new or plainly older is written set-based;
 * whatever somebody holds or has a say in goes through `applyRecords`.
 */
async function mergeChunk(
  deps: ReadDeps,
  table: MirrorTable,
  chunk: Chunk,
  tx: Transaction,
): Promise<ApplyCounts> {
  if (chunk.records.length === 0) return NOTHING;
  const stage = await fillStage(tx, table, textOf(chunk));
  const differences = await compareStage(tx, stage);
  const standing = differences.filter(({ present }) => present);
  const locked = await lockRows(
    tx,
    table,
    standing.map(({ id }) => id),
  );
  const known = await readKnown(tx, stage, chunk.readAt);
  const gone = new Set(known.filter((one) => one.gone).map(({ position }) => position));
  const withCare = new Set(known.filter((one) => !one.gone).map(({ position }) => position));
  for (const { position, id } of standing) {
    const isPartial = chunk.lines[position - 1]?.partial ?? true;
    if (isPartial || !locked.has(id)) withCare.add(position);
  }
  const isPlain = ({ position }: { position: number }) =>
    !gone.has(position) && !withCare.has(position);
  const positionsOf = (present: boolean) =>
    differences.filter((one) => one.present === present && isPlain(one)).map((one) => one.position);
  const inserted = await insertStaged(tx, stage, positionsOf(false));
  const updated = await updateStaged(tx, stage, positionsOf(true));
  const careful = await applyRecords(
    tx,
    table,
    [...withCare].flatMap((position) => chunk.records[position - 1] ?? []),
    contextOf(deps, table, chunk.readAt),
  );
  const plainLines = chunk.lines.filter((_, index) => isPlain({ position: index + 1 }));
  return {
    inserted: inserted + careful.inserted,
    updated: updated + careful.updated,
    unchanged: plainLines.length + gone.size - inserted - updated + careful.unchanged,
    deferred: careful.deferred,
    conflicts: careful.conflicts,
    extra: extrasOf(plainLines) + careful.extra,
  };
}

const NOTHING: ApplyCounts = {
  inserted: 0,
  updated: 0,
  unchanged: 0,
  deferred: 0,
  conflicts: 0,
  extra: 0,
};

function textOf({ lines }: Chunk): string[] {
  return lines.map(({ text }) => text);
}

function extrasOf(lines: Chunk['lines']): number {
  return lines.reduce((sum, { extras }) => sum + extras, 0);
}
