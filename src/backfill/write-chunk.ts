import { type AppliedRead, applyRead } from '../conflicts/apply-read.ts';
import { applyRecords } from '../conflicts/apply-records.ts';
import { followMerges } from '../conflicts/follow-merges.ts';
import { applyLinks } from '../conflicts/link-apply.ts';
import { applyContext, type ReadDeps, refuseAll } from '../conflicts/read-object.ts';
import { copyColumns, copyInto, isInDoubt, isUnfitForCopy } from '../db/backfill/copy.ts';
import type { CopyRows } from '../db/backfill/copy-buffer.ts';
import {
  compareStage,
  fillStage,
  insertStaged,
  readKnown,
  updateStaged,
} from '../db/backfill/stage.ts';
import type { Transaction } from '../db/connection/database.ts';
import { hasAlteringTriggers } from '../db/mirror/altering-triggers.ts';
import { noteOverflown } from '../db/mirror/number-columns.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { lockRows } from '../db/rows/mirror-rows.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Chunk, CopyChunk, MergeChunk } from './chunk.ts';

/** Waiting for a row means that a user holds it, and then records are merged, not copied. */
const COPY_LOCK_MS = 500;

/**
 * Writes a chunk, and whatever `save` writes, in one transaction (invariant 8). Safe to repeat.
 *
 * @returns null, and nothing was done, where a chunk to be copied has to be merged.
 */
export async function writeChunk(
  deps: ReadDeps,
  table: MirrorTable,
  chunk: Chunk,
  save: (tx: Transaction) => Promise<void>,
): Promise<AppliedRead | null> {
  if (chunk.mode === 'merge') {
    return await deps.db.transaction(
      async (tx) => {
        const applied = chunk.rows === 0 ? NOTHING : await merge(tx, deps, table, chunk);
        refuseAll(table, applied);
        await noteOverflown(tx, table.object, chunk.overflown);
        await save(tx);
        return applied;
      },
      { asWriter: true },
    );
  }
  // Before anything is waited for: the next chunk is gathered in the same buffer.
  const rows = chunk.buffer.takeSorted();
  try {
    return await deps.db.transaction(
      async (tx) => {
        const applied = chunk.rows === 0 ? NOTHING : await copy(tx, deps, table, { chunk, rows });
        await noteOverflown(tx, table.object, chunk.overflown);
        await save(tx);
        return applied;
      },
      // What was sent by COPY is gone: it is read again, to be merged.
      { asWriter: true, once: true, lockTimeoutMs: COPY_LOCK_MS },
    );
  } catch (error) {
    if (error instanceof RowsInDoubt || isUnfitForCopy(error)) return null;
    throw error;
  }
}

class RowsInDoubt extends Error {}

/** COPY straight into the mirror. @throws where any of the records needs more than that. */
async function copy(
  tx: Transaction,
  deps: ReadDeps,
  table: MirrorTable,
  { chunk, rows }: { readonly chunk: CopyChunk; readonly rows: CopyRows },
): Promise<AppliedRead> {
  await copyInto(tx, { table: table.qualified, columns: copyColumns(table) }, rows);
  if (await isInDoubt(tx, table, chunk.ids)) throw new RowsInDoubt();
  const told = await applyTold(tx, deps, table, { records: chunk.telling, readAt: chunk.readAt });
  return { ...told, inserted: chunk.rows, extra: chunk.extras };
}

/**
 * In the order of `applyRecords`: compare, lock without waiting, read the outbox in a later
 * statement. What is plainly new or plainly older is written set-based; whatever somebody holds
 * or has a say in goes through `applyRecords`.
 */
async function merge(
  tx: Transaction,
  deps: ReadDeps,
  table: MirrorTable,
  chunk: MergeChunk,
): Promise<AppliedRead> {
  const { encoded, records, readAt } = chunk;
  if (tx.isolatesUntilMs !== null || (await mayBeAltered(tx, table))) {
    const context = applyContext(deps, table, readAt);
    return { ...(await applyRead(tx, table, records, context)), extra: chunk.extras };
  }
  const stage = await fillStage(tx, table, encoded);
  const { versions } = deps.remote.capabilitiesOf(table.object);
  const differences = await compareStage(tx, stage, versions);
  const standing = differences.filter(({ present }) => present);
  const ids = standing.map(({ id }) => id);
  const locked = await lockRows(tx, table, ids);
  const known = await readKnown(tx, stage, readAt);
  const gone = new Set(known.filter((one) => one.gone).map(({ position }) => position));
  const withCare = new Set(known.filter((one) => !one.gone).map(({ position }) => position));
  for (const { position, id, undated } of standing) {
    // Fields the answer lacked keep what they hold.
    const isPartial = encoded[position - 1]?.missing.length !== 0;
    const isCompared = versions === 'stamped' && !undated;
    if (isPartial || !isCompared || !locked.has(id)) withCare.add(position);
  }
  const plain = differences.filter(({ position }) => !withCare.has(position));
  const absent = plain.filter(({ position, present }) => !present && !gone.has(position));
  const older = plain.filter(({ present }) => present);
  const inserted = await insertStaged(tx, stage, positionsOf(absent));
  const updated = await updateStaged(tx, stage, positionsOf(older));
  const carefully = [...withCare].flatMap((position) => records[position - 1] ?? []);
  const careful = await applyRecords(tx, table, carefully, applyContext(deps, table, readAt));
  const told = await applyTold(tx, deps, table, { records, readAt });
  return {
    ...told,
    inserted: inserted + careful.inserted,
    updated: updated + careful.updated,
    unchanged: encoded.length - inserted - updated - withCare.size + careful.unchanged,
    deferred: careful.deferred + told.deferred,
    setAside: careful.setAside + told.setAside,
    trouble: careful.trouble,
    conflicts: careful.conflicts + told.conflicts,
    extra: chunk.extras,
    undated: careful.undated,
  };
}

/** Rows that a trigger of others may change have to be looked at one by one. */
async function mayBeAltered(tx: Transaction, table: MirrorTable): Promise<boolean> {
  const [row] = await tx.query<{ found: boolean }>(`SELECT ${hasAlteringTriggers(table)} AS found`);
  return row?.found ?? false;
}

/** What records tell besides themselves: merges and links. After they were written. */
async function applyTold(
  tx: Transaction,
  deps: ReadDeps,
  table: MirrorTable,
  { records, readAt }: { readonly records: readonly RemoteRecord[]; readonly readAt: string },
): Promise<AppliedRead> {
  if (records.length === 0) return NOTHING;
  const merges = await followMerges(tx, table, records, applyContext(deps, table, readAt));
  const { lateMs } = deps.remote.capabilitiesOf(table.object);
  const links = await applyLinks(tx, table, records, { links: deps.links, readAt, lateMs });
  return {
    ...NOTHING,
    merged: merges.merged,
    linked: links.linked,
    unlinked: links.unlinked,
    deferred: merges.deferred + links.deferred,
    setAside: merges.setAside + links.setAside,
    conflicts: merges.conflicts,
  };
}

function positionsOf(rows: readonly { readonly position: number }[]): number[] {
  return rows.map(({ position }) => position);
}

const NOTHING: AppliedRead = {
  inserted: 0,
  updated: 0,
  unchanged: 0,
  deferred: 0,
  setAside: 0,
  trouble: null,
  conflicts: 0,
  extra: 0,
  undated: 0,
  merged: 0,
  linked: 0,
  unlinked: 0,
};
