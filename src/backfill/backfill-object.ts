import { serverNow } from '../conflicts/clocks.ts';
import { readHandover } from '../conflicts/handover.ts';
import {
  type ReadDeps,
  type Reading,
  type ReadOptions,
  type ReadResult,
  startReading,
} from '../conflicts/read-object.ts';
import { isUnread } from '../db/backfill/copy.ts';
import { dropRanges, readRanges, replaceRanges } from '../db/backfill/ranges.ts';
import { type Sql, withinLockTimeout } from '../db/connection/database.ts';
import { ownViews } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import {
  type BackfillProgress,
  type Cursor,
  loadCursor,
  moveCursor,
} from '../db/position/cursor.ts';
import { markSwept } from '../db/position/sweep-state.ts';
import { markDeletionsFrom } from '../db/reconcile/state.ts';
import { SyncError } from '../domain/errors.ts';
import type { Stamping } from '../domain/stamping.ts';
import { formatInstant, parseInstant } from '../domain/walk/instant.ts';
import { fillRanges, type Job } from './fill-ranges.ts';
import { planRanges } from './plan-ranges.ts';
import { readUndated } from './read-undated.ts';

export interface BackfillOptions extends ReadOptions {
  /** Leave out records created before this instant. */
  readonly since?: string | undefined;
  /** Forget how far an earlier attempt came. */
  readonly restart?: boolean | undefined;
  /** Nothing is to do where the object has been read once. */
  readonly first?: boolean | undefined;
  /** Pages asked for at the same time; default 4. */
  readonly concurrency?: number | undefined;
}

/** Enough to hide the latency of a page, and to keep two processors busy. */
const READERS = 4;

/**
 * Reads every record of an object, in ranges of creation time, from where an earlier attempt
 * stopped. Incremental pull takes over from the newest edit there was before the first page, so
 * that nothing falls between; where it runs already, it goes on meanwhile.
 *
 * @throws RemoteError, or SyncError `cursor-moved` where another process reads the same object.
 */
export async function backfillObject(
  deps: ReadDeps,
  table: MirrorTable,
  options: BackfillOptions,
): Promise<ReadResult> {
  const reading = startReading(await loadCursor(deps.db, table.object));
  if (options.first && reading.cursor.phase === 'incremental') return { ...reading };
  const readers = options.concurrency ?? READERS;
  const job =
    (await resume(deps, reading, options)) ??
    (await begin(deps, table, reading, { ...options, readers }));
  await fillRanges(deps, table, reading, { ...options, job, readers });
  const isWhole = job.ranges.every(({ done }) => done);
  if (isWhole && !reading.cursor.backfill?.since) {
    await readUndated(deps, table, reading, options);
  }
  if (isWhole) await finish(deps, job);
  return { state: reading.state, reason: reading.reason, counts: reading.counts };
}

/** What an earlier attempt left; null where there is none, or another one is asked for. */
async function resume(
  deps: ReadDeps,
  { cursor }: Reading,
  options: BackfillOptions,
): Promise<Job | null> {
  const { backfill, object } = cursor;
  if (backfill === null || options.restart) return null;
  if (options.since !== undefined && options.since !== backfill.since) return null;
  const key = { object, startedAt: backfill.startedAt };
  const ranges = await readRanges(deps.db, key);
  if (ranges.length === 0) return null;
  return { key, ranges, direct: backfill.unread, total: backfill.total };
}

async function begin(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: BackfillOptions & { readonly readers: number },
): Promise<Job> {
  const since = options.since ?? null;
  const startedAt = formatInstant(serverNow(deps));
  const { at: handover, requests: asked } = await readHandover(deps.remote, table, {
    ...options,
    startedAt,
  });
  reading.counts.requests += asked;
  const unread = await isUnread(withinLockTimeout(deps.db), table);
  const { ranges, total, requests } = await planRanges(deps.remote, table, { ...options, since });
  reading.counts.requests += requests;
  const key = { object: table.object, startedAt };
  const links = ownViews(deps.links, table.object).map(({ link }) => link.name);
  const backfill: BackfillProgress = { startedAt, since, handover, total, unread, links };
  const known = reading.cursor.backfill?.startedAt;
  reading.cursor = await changeCursor(deps, key.object, {
    change(cursor) {
      if (cursor.backfill?.startedAt !== known) throw begunAnew(key.object);
      // Once incremental pull runs, it goes on beside the backfill and keeps its own watermarks.
      if (cursor.phase === 'incremental') return { backfill };
      // Rows of an earlier attempt stand, and what happened to them since then is not read again
      // before a push would overwrite it.
      const updatedWatermark = cursor.updatedWatermark ?? cursor.backfill?.handover ?? null;
      // The feed's clock is the records', which `Date` may not show.
      return { backfill, updatedWatermark, deletedWatermark: handover };
    },
    async also(tx) {
      await replaceRanges(tx, key, ranges);
      await markDeletionsFrom(tx, key.object);
    },
  });
  return { key, ranges: await readRanges(deps.db, key), direct: unread, total };
}

async function finish(deps: ReadDeps, { key, ranges }: Job): Promise<void> {
  const { object, startedAt } = key;
  const reachedMs = parseInstant(ranges.at(-1)?.watermark ?? ranges.at(-1)?.from ?? null);
  // What showed late in a range was created after the start, and is found by creation from there.
  const createdMs = reachedMs === null ? null : Math.min(reachedMs, Date.parse(startedAt));
  let backfill: BackfillProgress | null = null;
  await changeCursor(deps, object, {
    change(cursor) {
      ({ backfill } = cursor);
      if (backfill?.startedAt !== startedAt) throw begunAnew(object);
      const stampings = [cursor.stamping, ...ranges.map(({ stamping }) => stamping)];
      const settled = { backfill: null, stamping: weigh(stampings) };
      if (cursor.phase === 'incremental') return settled;
      return {
        ...settled,
        phase: 'incremental',
        updatedWatermark: later(cursor.updatedWatermark, backfill.handover),
        createdWatermark: createdMs === null ? null : formatInstant(createdMs),
      };
    },
    async also(tx) {
      await dropRanges(tx, object);
      if (backfill?.since === null) {
        await markSwept(tx, object, { startedAt, links: backfill.links });
      }
    },
  });
}

const ATTEMPTS = 20;

interface CursorChange {
  readonly change: (cursor: Cursor) => Parameters<typeof moveCursor>[2];
  /** In the same transaction, once the cursor is ours. */
  readonly also: (tx: Sql) => Promise<void>;
}

/** Changes the cursor as it stands now: a pull of the same object may be moving it meanwhile. */
async function changeCursor(
  deps: ReadDeps,
  object: string,
  { change, also }: CursorChange,
): Promise<Cursor> {
  for (let attempt = 1; ; attempt += 1) {
    const cursor = await loadCursor(deps.db, object);
    try {
      return await deps.db.transaction(async (tx) => {
        const moved = await moveCursor(tx, cursor, change(cursor));
        await also(tx);
        return moved;
      });
    } catch (error) {
      const isMoved = error instanceof SyncError && error.code === 'cursor-moved';
      if (!isMoved || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** A push may have taken in what changed since the handover. */
function later(watermark: string | null, handover: string): string {
  const isLater = (parseInstant(watermark) ?? Number.NEGATIVE_INFINITY) > Date.parse(handover);
  return isLater && watermark !== null ? watermark : handover;
}

/** One record that was never edited settles the question. */
function weigh(stampings: readonly Stamping[]): Stamping {
  if (stampings.includes('after_edit')) return 'after_edit';
  return stampings.includes('always') ? 'always' : 'unknown';
}

function begunAnew(object: string): SyncError {
  return new SyncError(`another process has begun to read ${object} anew`, {
    code: 'backfill-begun-anew',
    disposition: 'retry',
  });
}
