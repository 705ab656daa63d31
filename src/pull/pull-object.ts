import { type ApplyCounts, applyRecords } from '../conflicts/apply-records.ts';
import {
  type Cursor,
  loadCursor,
  moveCursor,
  readDatabaseTime,
  type Stamping,
} from '../db/cursor.ts';
import type { Database } from '../db/database.ts';
import { readDeferred } from '../db/departures.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { ConflictPolicy } from '../domain/merge-fields.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { CallOptions, Priority, Remote } from '../domain/remote.ts';
import { EARLIEST_MS, formatInstant, overlapStart } from '../domain/walk/instant.ts';
import { acceptPage, nextRequest, startWalk, type WalkOptions } from '../domain/walk/walk.ts';
import { pullDeletions } from './pull-deletions.ts';
import { judgeStamping } from './stamping.ts';

export interface PullDeps {
  readonly db: Database;
  readonly remote: Remote;
  readonly policyOf: (object: string, field: string) => ConflictPolicy;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
}

export interface PullOptions {
  readonly signal: AbortSignal;
  readonly priority: Priority;
  /** Told after every page that was applied. */
  readonly onPage?: (page: { readonly read: number; readonly total: number | null }) => void;
}

export interface PullResult {
  readonly state: 'ok' | 'incomplete';
  /** Why it is incomplete; one line, no values. */
  readonly reason: string | null;
  readonly requests: number;
  readonly read: number;
  readonly inserted: number;
  readonly updated: number;
  readonly removed: number;
  readonly deferred: number;
  readonly conflicts: number;
  readonly extra: number;
}

type Watermark = 'updatedWatermark' | 'createdWatermark';

/** A pull under way: the cursor as it stands, and what was counted. */
export interface Progress {
  cursor: Cursor;
  state: 'ok' | 'incomplete';
  reason: string | null;
  counts: Record<Exclude<keyof PullResult, 'state' | 'reason'>, number>;
}

const DEFERRED_AT_ONCE = 500;

/**
 * Brings one object's mirror up to date: everything from scratch the first time, then what
 * changed since, then what was deleted (invariants 1, 6 and 8). Every page is applied in one
 * transaction with the cursor, so that it can be killed anywhere.
 *
 * @throws RemoteError, or SyncError `cursor-moved` where another process reads the same object.
 */
export async function pullObject(
  deps: PullDeps,
  table: MirrorTable,
  options: PullOptions,
): Promise<PullResult> {
  const progress = await startProgress(deps, table.object);
  if (progress.cursor.phase === 'backfill') await readFromScratch(deps, table, progress, options);
  await applyDeferred(deps, table, progress);
  await readChanges(deps, table, progress, options);
  await readDeletions(deps, table, progress, options);
  return { state: progress.state, reason: progress.reason, ...progress.counts };
}

/** Only what changed, without deletions: what a push takes in before it overwrites anything. */
export async function pullChanges(
  deps: PullDeps,
  table: MirrorTable,
  options: PullOptions,
): Promise<void> {
  const progress = await startProgress(deps, table.object);
  if (progress.cursor.phase === 'incremental') await readChanges(deps, table, progress, options);
}

export async function startProgress(deps: PullDeps, object: string): Promise<Progress> {
  const counts = { requests: 0, read: 0, inserted: 0, updated: 0, removed: 0 };
  return {
    cursor: await loadCursor(deps.db, object),
    state: 'ok',
    reason: null,
    counts: { ...counts, deferred: 0, conflicts: 0, extra: 0 },
  };
}

/**
 * Every record, in the order of creation, from where an earlier attempt stopped. The cursors of
 * updates and deletions start before the first page, so that nothing falls between.
 */
async function readFromScratch(
  deps: PullDeps,
  table: MirrorTable,
  progress: Progress,
  options: PullOptions,
): Promise<void> {
  if (progress.cursor.backfill === null) {
    const startedAt = new Date(serverNow(deps)).toISOString();
    // Bounded below, so that records without `_updated_at` cannot stand first.
    const newest = await deps.remote.readPage(
      {
        object: table.schema,
        orderBy: 'updated',
        direction: 'desc',
        from: formatInstant(EARLIEST_MS),
        offset: 0,
        limit: 1,
      },
      options,
    );
    progress.counts.requests += 1;
    const handover = newest.records[0]?.updatedAt ?? formatInstant(EARLIEST_MS);
    const backfill = { startedAt, since: null, createdBefore: null, handover, read: 0 };
    // The feed is read from there too: its clock is the records', which `Date` may not show.
    progress.cursor = await deps.db.transaction((tx) =>
      moveCursor(tx, progress.cursor, { backfill, deletedWatermark: handover }),
    );
  }
  const from = overlapStart(progress.cursor.createdWatermark, serverNow(deps));
  await walk(deps, table, progress, { ...options, orderBy: 'created', from, probe: false });
  if (progress.state === 'incomplete') return;
  const handover = progress.cursor.backfill?.handover ?? null;
  progress.cursor = await deps.db.transaction((tx) =>
    moveCursor(tx, progress.cursor, {
      phase: 'incremental',
      updatedWatermark: handover,
      backfill: null,
    }),
  );
}

async function readChanges(
  deps: PullDeps,
  table: MirrorTable,
  progress: Progress,
  options: PullOptions,
): Promise<void> {
  if (progress.state === 'incomplete') return;
  const nowMs = serverNow(deps);
  const from = overlapStart(progress.cursor.updatedWatermark, nowMs);
  await walk(deps, table, progress, { ...options, orderBy: 'updated', from, probe: true });
  if (progress.cursor.stamping === 'always') return;
  // Records without `_updated_at` match no filter on it: new ones are found by their creation.
  const createdFrom = overlapStart(progress.cursor.createdWatermark, nowMs);
  await walk(deps, table, progress, {
    ...options,
    orderBy: 'created',
    from: createdFrom,
    probe: true,
  });
}

async function walk(
  deps: PullDeps,
  table: MirrorTable,
  progress: Progress,
  options: PullOptions & Pick<WalkOptions, 'orderBy' | 'from' | 'probe'>,
): Promise<void> {
  const { orderBy, from, probe } = options;
  const limit = deps.remote.limits.pageSize;
  const startedAtMs = serverNow(deps);
  let state = startWalk({ orderBy, from, limit, probe, startedAtMs });
  const watermarkOf: Watermark = orderBy === 'updated' ? 'updatedWatermark' : 'createdWatermark';
  for (let request = nextRequest(state); request; request = nextRequest(state)) {
    options.signal.throwIfAborted();
    const readAt = await readDatabaseTime(deps.db);
    const page = await deps.remote.readPage({ object: table.schema, ...request }, options);
    progress.counts.requests += 1;
    const step = acceptPage(state, {
      records: page.records.map((record) => {
        const at = orderBy === 'updated' ? record.updatedAt : record.createdAt;
        return { id: record.id, at, version: record.updatedAt };
      }),
      total: page.total,
      more: page.more,
    });
    state = step.state;
    const records = step.accepted.flatMap((index) => page.records[index] ?? []);
    await applyPage(deps, table, progress, {
      records,
      readAt,
      watermark: step.watermark === null ? null : { column: watermarkOf, at: step.watermark },
    });
    options.onPage?.({ read: records.length, total: page.total });
    if (step.verdict === 'incomplete') {
      progress.state = 'incomplete';
      progress.reason = `walk-${step.problem ?? 'unproven'}`;
    }
  }
}

/** Applies records in one transaction with the cursor that has seen them. */
async function applyPage(
  deps: PullDeps,
  table: MirrorTable,
  progress: Progress,
  page: {
    readonly records: readonly RemoteRecord[];
    readonly readAt: string;
    readonly watermark: { readonly column: Watermark; readonly at: string } | null;
  },
): Promise<void> {
  const { cursor } = progress;
  const stamping = judgeStamping(cursor.stamping, page.records);
  const change: { -readonly [K in Watermark]?: string } & { stamping?: Stamping } = {};
  if (stamping !== cursor.stamping) change.stamping = stamping;
  if (page.watermark && isLater(page.watermark.at, cursor[page.watermark.column])) {
    change[page.watermark.column] = page.watermark.at;
  }
  if (page.records.length === 0 && Object.keys(change).length === 0) return;
  await deps.db.transaction(
    async (tx) => {
      add(
        progress,
        await applyRecords(tx, table, page.records, applyContext(deps, table, page.readAt)),
      );
      if (Object.keys(change).length > 0) progress.cursor = await moveCursor(tx, cursor, change);
    },
    { asWriter: true },
  );
  progress.counts.read += page.records.length;
}

/** Tries again what was put aside because somebody held the row. */
async function applyDeferred(
  deps: PullDeps,
  table: MirrorTable,
  progress: Progress,
): Promise<void> {
  const deferred = await readDeferred(deps.db, table.object, DEFERRED_AT_ONCE);
  for (const readAt of new Set(deferred.map((one) => one.readAt))) {
    const records = deferred.filter((one) => one.readAt === readAt).map(({ record }) => record);
    await deps.db.transaction(
      async (tx) => {
        add(progress, await applyRecords(tx, table, records, applyContext(deps, table, readAt)));
      },
      { asWriter: true },
    );
  }
}

async function readDeletions(
  deps: PullDeps,
  table: MirrorTable,
  progress: Progress,
  options: CallOptions,
): Promise<void> {
  const read = await pullDeletions(deps, table, progress.cursor, options);
  progress.cursor = read.cursor;
  progress.counts.requests += 1;
  progress.counts.removed += read.removed;
  if (read.state === 'incomplete' && progress.state === 'ok') {
    progress.state = 'incomplete';
    progress.reason = 'deletions-unsettled';
  }
}

function applyContext(deps: PullDeps, table: MirrorTable, readAt: string) {
  return {
    readAt,
    clockSkewMs: deps.remote.clockSkewMs ?? 0,
    policyOf: (field: string) => deps.policyOf(table.object, field),
  };
}

function add(progress: Progress, applied: ApplyCounts): void {
  progress.counts.inserted += applied.inserted;
  progress.counts.updated += applied.updated;
  progress.counts.deferred += applied.deferred;
  progress.counts.conflicts += applied.conflicts;
  progress.counts.extra += applied.extra;
}

function isLater(at: string, than: string | null): boolean {
  return than === null || Date.parse(at) > Date.parse(than);
}

/** The CRM's clock as far as its answers told. */
function serverNow(deps: PullDeps): number {
  return deps.nowMs() + (deps.remote.clockSkewMs ?? 0);
}
