import { setTimeout as sleep } from 'node:timers/promises';
import { serverNow } from '../conflicts/clocks.ts';
import { readHandover } from '../conflicts/handover.ts';
import {
  type ReadDeps,
  type ReadOptions,
  type ReadResult,
  startReading,
} from '../conflicts/read-object.ts';
import { ownViews } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { loadCursor, moveCursor, readDatabaseTime } from '../db/position/cursor.ts';
import { isUnproven, loadSweeps } from '../db/position/sweep-state.ts';
import { markDeletionsFrom } from '../db/reconcile/state.ts';
import { SyncError } from '../domain/errors.ts';
import { formatInstant } from '../domain/walk/instant.ts';
import { type SweepResult, sweepObject } from './sweep.ts';

/** Another process may sweep the same object: its pages count as well. */
const ATTEMPTS = 60;
const PAUSE_MS = 250;

export interface WholeResult extends ReadResult {
  /** When the round began, database time; null where none came to its end. */
  readonly startedAt: string | null;
}

/**
 * Reads everything of an object, in a round that begins now, or has begun since `since` (database
 * time): then it goes on where it stands.
 *
 * @throws RemoteError
 */
export async function readWhole(
  deps: ReadDeps,
  table: MirrorTable,
  options: ReadOptions & { readonly since?: string; readonly first?: boolean },
): Promise<WholeResult> {
  const { first = false, ...rest } = options;
  const since = options.since ?? (await readDatabaseTime(deps.db));
  const { object } = table;
  const { counts } = startReading(await loadCursor(deps.db, object));
  for (let attempt = 1; ; attempt += 1) {
    let swept: SweepResult | null;
    try {
      const standing = (await loadSweeps(deps.db, [object], { first })).get(object);
      if (standing === undefined) throw new Error(`${object} has no first read to follow`);
      const sweeping = { ...rest, intervalMs: 1, standing, complete: { since } };
      swept = await sweepObject(deps, table, sweeping);
    } catch (error) {
      const isMoved = error instanceof SyncError && error.code === 'sweep-moved';
      if (!isMoved || attempt >= ATTEMPTS) throw error;
      await sleep(PAUSE_MS, undefined, { signal: options.signal });
      continue;
    }
    if (swept === null) continue;
    counts.requests += swept.requests;
    counts.read += swept.read;
    counts.inserted += swept.inserted;
    counts.updated += swept.changed - swept.inserted;
    counts.linked += swept.linked;
    counts.unlinked += swept.unlinked;
    const reason = isUnproven(swept.problem) || swept.undated ? swept.problem : null;
    const { startedAt } = swept;
    return { state: reason === null ? 'ok' : 'incomplete', reason, counts, startedAt };
  }
}

/**
 * The first read of an object whose list is known by positions alone, from where an earlier attempt
 * stopped. Pulls take over from before it began.
 *
 * @throws RemoteError, or SyncError `cursor-moved` where another process reads the same object.
 */
export async function readFirst(
  deps: ReadDeps,
  table: MirrorTable,
  options: ReadOptions & { readonly restart?: boolean | undefined },
): Promise<ReadResult> {
  const reading = startReading(await loadCursor(deps.db, table.object));
  const { cursor } = reading;
  let backfill = options.restart ? null : cursor.backfill;
  if (backfill === null) {
    const startedAt = await readDatabaseTime(deps.db);
    const serverAt = formatInstant(serverNow(deps));
    const handover = await readHandover(deps.remote, table, { ...options, startedAt: serverAt });
    const links = ownViews(deps.links, table.object).map(({ link }) => link.name);
    backfill = { startedAt, since: null, handover: handover.at, total: null, unread: false, links };
    reading.counts.requests += handover.requests;
    const change = { backfill };
    reading.cursor = await deps.db.transaction(async (tx) => {
      const moved = await moveCursor(tx, cursor, change);
      await markDeletionsFrom(tx, table.object);
      return moved;
    });
  }
  const { startedAt: since, handover } = backfill;
  const whole = await readWhole(deps, table, { ...options, since, first: true });
  if (whole.state !== 'ok') {
    // The round is over and proves nothing: the next attempt begins another.
    await deps.db.transaction((tx) => moveCursor(tx, reading.cursor, { backfill: null }));
    return whole;
  }
  const isFirst = reading.cursor.phase === 'backfill';
  const settled = isFirst
    ? ({ backfill: null, phase: 'incremental', updatedWatermark: handover } as const)
    : { backfill: null };
  await deps.db.transaction((tx) => moveCursor(tx, reading.cursor, settled));
  return whole;
}
