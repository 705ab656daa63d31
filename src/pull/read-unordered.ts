import { serverNow } from '../conflicts/clocks.ts';
import { readLinkedPage } from '../conflicts/link-pages.ts';
import {
  applyPage,
  type ReadDeps,
  type Reading,
  type ReadOptions,
  watermarkOf,
} from '../conflicts/read-object.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { moveCursor, readDatabaseTime } from '../db/position/cursor.ts';
import { createShown } from '../domain/scan/shown.ts';
import {
  confirms,
  EARLIEST_MS,
  formatInstant,
  parseInstant,
  type Watermark,
  walkStart,
} from '../domain/walk/instant.ts';
import { roundByPosition } from './round-by-position.ts';

/** The list takes more requests than were allowed: what came is applied, and proves nothing. */
export const TOO_LONG = 'list-too-long';

/** Stamps may be cut to the second, and a filter may leave out the instant it is given. */
const STAMP_MS = 1_000;

/**
 * Reads what was edited since the watermark from a list that is not in that order: edits put
 * records into it while it is read, so nothing is proven before its end, and the watermark moves
 * with the last page alone (invariants 1 and 8). One request where all of it fits a page. A kill
 * begins it again, which writes nothing that stands already.
 *
 * @throws RemoteError, or SyncError `cursor-moved` where another process reads the same object.
 */
export async function readUnordered(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions & {
    readonly watermark: Watermark | null;
    readonly mostRequests?: number | undefined;
  },
): Promise<void> {
  const { mostRequests = Number.POSITIVE_INFINITY } = options;
  const startedAtMs = serverNow(deps);
  const databaseStartMs = Date.parse(await readDatabaseTime(deps.db));
  const before = watermarkOf(reading.cursor, 'updated');
  const from = parseInstant(walkStart(options.watermark, startedAtMs)) ?? EARLIEST_MS;
  // What is confirmed lies behind for good: no stamp will be given out that close to it any more.
  const isConfirmed = options.watermark?.confirmed === true;
  const round = roundByPosition({
    stored: null,
    changedSince: formatInstant(isConfirmed ? from : from - STAMP_MS),
    limit: deps.remote.limits.pageSize,
    startedAtMs,
  });
  const shown = createShown();
  let newestMs = Number.NEGATIVE_INFINITY;
  let requests = 0;
  for (let request = round.next(); request; request = round.next()) {
    options.signal.throwIfAborted();
    if (requests >= mostRequests) {
      reading.state = 'incomplete';
      reading.reason = TOO_LONG;
      return;
    }
    const readAt = await readDatabaseTime(deps.db);
    const page = await readLinkedPage(deps, table, request, { ...options, depth: 'changed' });
    requests += page.requests;
    reading.counts.requests += page.requests;
    const read = round.take(page);
    for (const { updatedAt } of page.records) {
      newestMs = Math.max(newestMs, parseInstant(updatedAt) ?? newestMs);
    }
    const ids = read.records.map(({ id }) => id);
    shown.note({ pass: read.pass, ids, joined: read.joined });
    const { finished, problem } = read.conclude(shown.count(read.asksCount));
    const isProven = finished && problem === null && Number.isFinite(newestMs);
    const at = isProven ? formatInstant(Math.min(newestMs, startedAtMs)) : null;
    await applyPage(deps, table, reading, options, {
      records: read.records,
      byCreation: false,
      readAt,
      watermark: at === null ? null : { column: 'updatedWatermark', at },
    });
    options.onPage?.({ read: read.records.length, total: page.total });
    if (problem === null) continue;
    reading.state = 'incomplete';
    reading.reason = problem;
    return;
  }
  const { cursor } = reading;
  const stood = before !== null && before.at === cursor.updatedWatermark && !before.confirmed;
  if (!stood || reading.state !== 'ok' || !confirms(before, databaseStartMs)) return;
  reading.cursor = await deps.db.transaction((tx) =>
    moveCursor(tx, cursor, { updatedConfirmed: true }),
  );
}
