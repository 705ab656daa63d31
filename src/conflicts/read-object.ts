import type { Database } from '../db/connection/database.ts';
import { tableRefuses } from '../db/connection/row-trouble.ts';
import type { LinkTable } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { type Cursor, moveCursor, readDatabaseTime } from '../db/position/cursor.ts';
import type { ConflictPolicy } from '../domain/merge-fields.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { CallOptions, Priority, Remote } from '../domain/remote.ts';
import { judgeStamping, type Stamping } from '../domain/stamping.ts';
import { confirms, type Watermark } from '../domain/walk/instant.ts';
import { acceptPage, nextRequest, startWalk, type WalkOptions } from '../domain/walk/walk.ts';
import { type AppliedRead, applyRead } from './apply-read.ts';
import type { ApplyContext } from './apply-records.ts';
import { crmMinusDatabaseMs, serverNow } from './clocks.ts';
import { type LinkRefusals, readLinkedPage } from './link-pages.ts';
import { readRemoteWrites } from './remote-writes.ts';

export interface ReadDeps {
  readonly db: Database;
  readonly remote: Remote;
  readonly policyOf: (object: string, field: string) => ConflictPolicy;
  readonly links: readonly LinkTable[];
  readonly linkRefusals: LinkRefusals;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
}

/** Versions of records that came as answers to writes. */
export interface Echoes {
  readonly count: number;
  /** Whether it is the very version that was answered, in all that it tells but links. */
  has(record: RemoteRecord): boolean;
}

export interface ReadOptions extends Pick<CallOptions, 'timeoutMs' | 'withinMs'> {
  readonly signal: AbortSignal;
  readonly priority: Priority;
  /** Told after every page that was applied. */
  readonly onPage?:
    | ((page: { readonly read: number; readonly total: number | null }) => void)
    | undefined;
  /** What was applied already, and comes again: of such a version the links alone are looked at. */
  readonly echoes?: Echoes | undefined;
  /** Tries everything again that was put aside, due or not. */
  readonly everything?: boolean | undefined;
}

export interface ReadCounts {
  readonly requests: number;
  readonly read: number;
  readonly inserted: number;
  readonly updated: number;
  readonly removed: number;
  readonly deferred: number;
  /** Put aside because a constraint or a trigger of others refuses a row, or changes it. */
  readonly setAside: number;
  readonly conflicts: number;
  /** Values that fit no column. */
  readonly extra: number;
  readonly linked: number;
  readonly unlinked: number;
}

export interface ReadResult {
  readonly state: 'ok' | 'incomplete';
  /** Why it is incomplete; one line, no values. */
  readonly reason: string | null;
  readonly counts: ReadCounts;
}

/** A read under way: the cursor as it stands, and what was counted so far. */
export interface Reading {
  cursor: Cursor;
  /** Database time from before what is read next; null where rows were written since. */
  readAt: string | null;
  state: 'ok' | 'incomplete';
  reason: string | null;
  readonly counts: { -readonly [K in keyof ReadCounts]: ReadCounts[K] };
}

type WatermarkColumn = 'updatedWatermark' | 'createdWatermark';

/** How far the walk in the order of a timestamp has come. */
export function watermarkOf(cursor: Cursor, orderBy: 'updated' | 'created'): Watermark | null {
  const updated = orderBy === 'updated';
  const at = updated ? cursor.updatedWatermark : cursor.createdWatermark;
  const movedAt = updated ? cursor.updatedMovedAt : cursor.createdMovedAt;
  const confirmed = updated ? cursor.updatedConfirmed : cursor.createdConfirmed;
  return at === null ? null : { at, movedAtMs: Date.parse(movedAt ?? at), confirmed };
}

export function startReading(cursor: Cursor): Reading {
  const counts = { requests: 0, read: 0, inserted: 0, updated: 0, removed: 0 };
  return {
    cursor,
    readAt: cursor.readAt,
    state: 'ok',
    reason: null,
    counts: { ...counts, deferred: 0, setAside: 0, conflicts: 0, extra: 0, linked: 0, unlinked: 0 },
  };
}

/** Database time from before what is read next. An earlier one takes more of what stands for newer. */
export async function instantOf({ db }: Pick<ReadDeps, 'db'>, reading: Reading): Promise<string> {
  reading.readAt ??= await readDatabaseTime(db);
  return reading.readAt;
}

/**
 * Walks an object's records in the order of one timestamp. Every page is applied in one
 * transaction with the cursor that has seen it (invariant 8): it may be killed anywhere.
 *
 * @returns how far the walk has come, where it is proven and that is further than `from`.
 * @throws RemoteError, or SyncError `cursor-moved` where another process reads the same object.
 */
export async function walkObject(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions &
    Pick<WalkOptions, 'orderBy' | 'from' | 'probe'> & {
      /**
       * Goes on from an earlier walk. Applies what it reads, and leaves the cursor as it is.
       */
      readonly passing?: boolean | undefined;
    },
): Promise<string | null> {
  const { orderBy, from, probe, echoes, passing = false } = options;
  const limit = deps.remote.limits.pageSize;
  const startedAtMs = serverNow(deps);
  let state = startWalk({ orderBy, from, limit, probe, startedAtMs });
  const column: WatermarkColumn = orderBy === 'updated' ? 'updatedWatermark' : 'createdWatermark';
  const before = watermarkOf(reading.cursor, orderBy);
  const databaseStartMs = Date.parse(await instantOf(deps, reading));
  let reached: string | null = null;
  for (let request = nextRequest(state); request; request = nextRequest(state)) {
    options.signal.throwIfAborted();
    const readAt = await instantOf(deps, reading);
    const page = await readLinkedPage(deps, table, request, { ...options, depth: 'changed' });
    reading.counts.requests += page.requests;
    const step = acceptPage(state, {
      records: page.records.map((record) => {
        const at = orderBy === 'updated' ? record.updatedAt : record.createdAt;
        return { id: record.id, at, version: record.updatedAt };
      }),
      total: page.total,
      more: page.more,
    });
    state = step.state;
    const accepted = step.accepted.flatMap((index) => page.records[index] ?? []);
    const records = echoes === undefined ? accepted : accepted.map(withoutEcho(echoes));
    reached = step.watermark ?? reached;
    await applyPage(deps, table, reading, options, {
      records,
      byCreation: orderBy === 'created',
      readAt,
      watermark: step.watermark === null || passing ? null : { column, at: step.watermark },
    });
    options.onPage?.({ read: records.length, total: page.total });
    if (step.verdict === 'incomplete') {
      reading.state = 'incomplete';
      reading.reason = `walk-${step.problem ?? 'unproven'}`;
      return null;
    }
  }
  const { cursor } = reading;
  const stood = before !== null && before.at === cursor[column] && !before.confirmed;
  const isWhole = reading.state === 'ok';
  if (passing || !stood || !isWhole || !confirms(before, databaseStartMs)) return reached;
  const change = orderBy === 'updated' ? { updatedConfirmed: true } : { createdConfirmed: true };
  reading.cursor = await deps.db.transaction((tx) => moveCursor(tx, cursor, change));
  return reached;
}

function withoutEcho(echoes: Echoes) {
  return (record: RemoteRecord): RemoteRecord =>
    echoes.has(record) ? { ...record, isUnchanged: true } : record;
}

/** Applies records in one transaction with the cursor that has seen them. */
export async function applyPage(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions,
  page: {
    readonly records: readonly RemoteRecord[];
    readonly byCreation: boolean;
    readonly readAt: string;
    readonly watermark: { readonly column: WatermarkColumn; readonly at: string } | null;
  },
): Promise<void> {
  const { cursor } = reading;
  const stamping = page.byCreation ? judgeStamping(cursor.stamping, page.records) : cursor.stamping;
  const change: { -readonly [K in WatermarkColumn]?: string } & { stamping?: Stamping } = {};
  if (stamping !== cursor.stamping) change.stamping = stamping;
  if (page.watermark && isLater(page.watermark.at, cursor[page.watermark.column])) {
    change[page.watermark.column] = page.watermark.at;
  }
  if (page.records.length === 0 && Object.keys(change).length === 0) return;
  const context = await contextOf(deps, table, page, options);
  const done = await deps.db.transaction(
    async (tx) => {
      const applied = await applyRead(tx, table, page.records, context);
      refuseAll(table, applied);
      const isMoved = Object.keys(change).length > 0;
      return { applied, cursor: isMoved ? await moveCursor(tx, cursor, change) : cursor };
    },
    { asWriter: true },
  );
  addApplied(reading, done.applied);
  reading.cursor = done.cursor;
  reading.counts.read += page.records.length;
}

/** {@link applyContext}, and whose writes the records bring where they conflict. */
export async function contextOf(
  deps: ReadDeps,
  table: MirrorTable,
  read: { readonly records: readonly RemoteRecord[]; readonly readAt: string },
  { signal, priority }: CallOptions,
): Promise<ApplyContext> {
  const records = read.records.filter(({ isUnchanged }) => !isUnchanged);
  const writes = await readRemoteWrites(deps, table, records, { signal, priority });
  return { ...applyContext(deps, table, read.readAt), writes };
}

/** What it takes to apply records that were read since `readAt` (database time). */
export function applyContext(deps: ReadDeps, table: MirrorTable, readAt: string): ApplyContext {
  const { versions, lateMs } = deps.remote.capabilitiesOf(table.object);
  return {
    readAt,
    versions,
    lateMs,
    crmMinusDatabaseMs: crmMinusDatabaseMs(deps),
    policyOf: (field: string) => deps.policyOf(table.object, field),
    links: deps.links,
  };
}

/** Known records that lost their `_updated_at`, or came with one that cannot be read. */
export const UNDATED = 'undated-records';

/** So many rows refused, and none written: it is the table's trouble, and no row's. */
const TABLE_REFUSES = 100;

/** @throws SyncError `table-refuses` where nothing at all can be written: nothing is put aside. */
export function refuseAll(table: MirrorTable, applied: AppliedRead): void {
  const { trouble, setAside, inserted, updated, deferred } = applied;
  if (trouble === null || setAside < TABLE_REFUSES || inserted + updated + deferred > 0) return;
  throw tableRefuses(table.object, trouble);
}

export function addApplied(reading: Reading, applied: AppliedRead): void {
  reading.readAt = null;
  reading.counts.inserted += applied.inserted;
  reading.counts.updated += applied.updated;
  reading.counts.removed += applied.merged;
  reading.counts.deferred += applied.deferred;
  reading.counts.setAside += applied.setAside;
  reading.counts.conflicts += applied.conflicts;
  reading.counts.extra += applied.extra;
  reading.counts.linked += applied.linked;
  reading.counts.unlinked += applied.unlinked;
  if (applied.undated === 0) return;
  // What is not proven to be the newest is no whole reading (invariant 8).
  reading.state = 'incomplete';
  reading.reason ??= UNDATED;
}

function isLater(at: string, than: string | null): boolean {
  return than === null || Date.parse(at) > Date.parse(than);
}
