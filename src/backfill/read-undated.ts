import { applyRead } from '../conflicts/apply-read.ts';
import { readLinkedPage } from '../conflicts/link-pages.ts';
import {
  addApplied,
  applyContext,
  type ReadDeps,
  type Reading,
  type ReadOptions,
} from '../conflicts/read-object.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { leave } from './fill-ranges.ts';

/** Passes over the same records until one brings nobody new. */
const PASSES = 5;

/**
 * Reads the records that have no `_created_at`, which no range holds. They stand at one end of
 * the list, whichever the server sorts nothing to: where both ends have a date there are none.
 *
 * @throws RemoteError, or the signal's reason.
 */
export async function readUndated(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions,
): Promise<void> {
  for (const direction of ['asc', 'desc'] as const) {
    const seen = new Set<string>();
    let isSettled = false;
    for (let pass = 0; pass < PASSES && !isSettled; pass += 1) {
      const before = seen.size;
      await readEnd(deps, table, reading, { ...options, direction, seen });
      isSettled = seen.size === before;
    }
    if (!isSettled) leave(reading, 'undated-unsettled');
    if (seen.size > 0) return;
  }
}

async function readEnd(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions & {
    readonly direction: 'asc' | 'desc';
    /** Grows with these records alone. */
    readonly seen: Set<string>;
  },
): Promise<void> {
  const { direction, seen } = options;
  const { pageSize } = deps.remote.limits;
  for (let offset = 0; ; ) {
    options.signal.throwIfAborted();
    const readAt = await readDatabaseTime(deps.db);
    // Nearly always there are none, and one record tells.
    const limit = offset === 0 && seen.size === 0 ? 1 : pageSize;
    const request = { orderBy: 'created', direction, offset, limit } as const;
    const page = await readLinkedPage(deps, table, request, { ...options, depth: 'all' });
    reading.counts.requests += page.requests;
    const undated = page.records.filter(({ createdAt }) => createdAt === null);
    await apply(deps, table, reading, { ...options, readAt, records: undated });
    for (const { id } of undated) seen.add(id);
    if (undated.length < page.records.length || !page.more) return;
    // One is read again, so that nobody slides between two pages unnoticed.
    offset += Math.max(1, undated.length - 1);
  }
}

async function apply(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  page: ReadOptions & { readonly readAt: string; readonly records: readonly RemoteRecord[] },
): Promise<void> {
  const { records, readAt } = page;
  if (records.length === 0) return;
  const applied = await deps.db.transaction(
    (tx) => applyRead(tx, table, records, applyContext(deps, table, readAt)),
    { asWriter: true },
  );
  reading.counts.read += records.length;
  addApplied(reading, applied);
  page.onPage?.({ read: records.length, total: null });
}
