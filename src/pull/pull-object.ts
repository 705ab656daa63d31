import { serverNow } from '../conflicts/clocks.ts';
import {
  type ReadDeps,
  type Reading,
  type ReadOptions,
  type ReadResult,
  startReading,
  walkObject,
  watermarkOf,
} from '../conflicts/read-object.ts';
import type { ReadingCosts } from '../conflicts/reading-costs.ts';
import { retryAside } from '../conflicts/retry-aside.ts';
import type { Turns } from '../conflicts/turns.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { type Cursor, loadCursor } from '../db/position/cursor.ts';
import { rewriteReferences } from '../db/rows/identities.ts';
import { readStanding, type Standing } from '../db/standing.ts';
import { formatInstant, parseInstant, type Watermark, walkStart } from '../domain/walk/instant.ts';
import { pullDeletions } from './pull-deletions.ts';
import { readUnordered } from './read-unordered.ts';
import { readWhole } from './read-whole.ts';

export interface PullDeps extends ReadDeps {
  readonly turns: Turns;
  readonly readingCosts: ReadingCosts;
}

/**
 * Brings one object's mirror up to date: what changed since the last time, then what was deleted
 * (invariants 1, 6 and 8). The object has been backfilled. Takes turns with whoever else reads it.
 *
 * @throws RemoteError
 */
export async function pullObject(
  deps: PullDeps,
  table: MirrorTable,
  options: ReadOptions & {
    /** Reads everything where nothing less tells what changed: otherwise that is for the sweep. */
    readonly whole?: boolean | undefined;
    /** How the object stands; read where left out. */
    readonly standing?: Standing | undefined;
  },
): Promise<ReadResult> {
  const standing = options.standing ?? (await readStanding(deps.db, table.object));
  const reading = startReading(standing.cursor);
  await inTurn(deps, reading, options, async () => {
    if (standing.aside || options.everything) await retryAside(deps, table, reading, options);
    await readChanges(deps, table, reading, options);
  });
  if (standing.renamed) {
    // What a user held when another record got its id, and what shows a link that is in flight.
    await deps.db.transaction((tx) => rewriteReferences(tx, [table]), { asWriter: true });
    reading.readAt = null;
  }
  const { state, reason } = reading;
  const { counts } = reading;
  const { changes, deletions } = deps.remote.capabilitiesOf(table.object);
  if (changes.kind === 'full-scan' && options.whole && state === 'ok') {
    return await readWhole(deps, table, options);
  }
  if (deletions.kind === 'scan') return { state, reason, counts };
  const feed = await inTurn(deps, reading, options, () =>
    pullDeletions(deps, table, reading, options),
  );
  counts.requests += feed.requests;
  counts.removed += feed.removed;
  counts.setAside += feed.setAside;
  if (state === 'ok' && feed.state === 'incomplete') {
    return { state: 'incomplete', reason: 'deletions-unsettled', counts };
  }
  return { state, reason, counts };
}

/**
 * Runs `read` once nobody else moves the cursor, with the cursor as it stands then. One that need not
 * wait takes it as it was read a moment ago: where it has been moved since, nothing can be written by
 * it, and `read` runs again.
 */
export async function inTurn<T>(
  deps: PullDeps,
  reading: Reading,
  { signal }: ReadOptions,
  read: () => Promise<T>,
): Promise<T> {
  const { object } = reading.cursor;
  return await deps.turns.take(object, signal, async (isAtOnce) => {
    if (!isAtOnce) {
      reading.cursor = await loadCursor(deps.db, object);
      reading.readAt = reading.cursor.readAt;
    }
    reading.state = 'ok';
    reading.reason = null;
    return await read();
  });
}

/** Counts what it took, for who may choose another way. */
export async function readChanges(
  deps: PullDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions & {
    /** Of a list that is read from its beginning each time: beyond them it is given up. */
    readonly mostRequests?: number | undefined;
  },
): Promise<void> {
  const before = reading.counts.requests;
  await readByKind(deps, table, reading, options);
  deps.readingCosts.note(table.object, reading.counts.requests - before);
}

async function readByKind(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: Parameters<typeof readChanges>[3],
): Promise<void> {
  const { changes } = deps.remote.capabilitiesOf(table.object);
  switch (changes.kind) {
    case 'ordered-filter':
      return await readOrdered(deps, table, reading, options);
    case 'unordered-filter': {
      const watermark = updatedBefore(reading.cursor);
      return await readUnordered(deps, table, reading, { ...options, watermark });
    }
    case 'full-scan':
      // What changed is for the sweep to find; what is new shows at once where a list tells.
      if (changes.by === 'created') await readNew(deps, table, reading, options);
  }
}

async function readOrdered(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions,
): Promise<void> {
  const nowMs = serverNow(deps);
  const from = walkStart(updatedBefore(reading.cursor), nowMs);
  await walkObject(deps, table, reading, { ...options, orderBy: 'updated', from, probe: true });
  const { phase, stamping } = reading.cursor;
  if (stamping === 'always' || phase === 'backfill') return;
  // Records without `_updated_at` match no filter on it: new ones are found by their creation.
  const createdFrom = walkStart(watermarkOf(reading.cursor, 'created'), nowMs);
  const byCreation = { orderBy: 'created', from: createdFrom, probe: true } as const;
  await walkObject(deps, table, reading, { ...options, ...byCreation });
}

/** A record may turn up so much later than it says that it was made: the sweep finds the rest. */
const LATE_MS = 240_000;

async function readNew(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions,
): Promise<void> {
  const watermark = watermarkOf(reading.cursor, 'created');
  if (watermark === null || reading.cursor.phase === 'backfill') return;
  const overlapMs = parseInstant(walkStart({ ...watermark, confirmed: false }, serverNow(deps)));
  const from = overlapMs === null ? null : formatInstant(overlapMs - LATE_MS);
  await walkObject(deps, table, reading, { ...options, orderBy: 'created', from, probe: true });
}

/** A first read under way has seen, or will see, everything up to the newest edit at its start. */
function updatedBefore(cursor: Cursor): Watermark | null {
  const watermark = watermarkOf(cursor, 'updated');
  if (watermark !== null || cursor.backfill === null) return watermark;
  const { handover, startedAt } = cursor.backfill;
  return { at: handover, movedAtMs: Date.parse(startedAt), confirmed: false };
}
