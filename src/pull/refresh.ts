import {
  applyPage,
  type Reading,
  type ReadOptions,
  startReading,
  UNDATED,
  walkObject,
} from '../conflicts/read-object.ts';
import { readOneByOne } from '../conflicts/read-records.ts';
import { retryAside } from '../conflicts/retry-aside.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import {
  type DueRecords,
  hasArrived,
  type Looked,
  readDueRecords,
} from '../db/outbox/claimable.ts';
import { loadCursor, readDatabaseTime } from '../db/position/cursor.ts';
import { readMergeHints } from '../db/position/hints.ts';
import { readAside } from '../db/rows/set-aside.ts';
import { claimSize } from '../domain/capabilities.ts';
import { OVERLAP_MS } from '../domain/walk/instant.ts';
import { followHintedMerges } from './follow-hinted-merges.ts';
import { inTurn, type PullDeps, readChanges } from './pull-object.ts';
import { TOO_LONG } from './read-unordered.ts';

/** What was taken in right before a claim, and what the next look within the same push begins from. */
export interface Refreshed {
  /** Whose changes may go now; null: everything that changed was taken in. */
  readonly looked: Looked | null;
  /** How far the list of changes was read; null where it was not, or has to be read from the watermark. */
  readonly reached: string | null;
  /** Records read by themselves since the list was. */
  readonly alone: number;
  /** The list proved nothing: what goes is looked at record by record. */
  readonly isUnproven: boolean;
}

const ANEW: Refreshed = { looked: null, reached: null, alone: 0, isUnproven: false };

/** Records at most that are read by themselves before a claim. */
const MOST_ALONE = 100;

/**
 * Takes in what a push is about to overwrite (invariant 5): the list of what changed, or, where that
 * takes more requests, each record whose change is due by itself. Right after a bulk change the list
 * holds all of it for a minute. Either way the claim takes nothing that was not looked at.
 *
 * What is created with an identity needs the list: nobody else tells who has it by now.
 *
 * @param before what the last look within the same push came to; null for its first.
 */
export async function refreshBeforePush(
  deps: PullDeps,
  table: MirrorTable,
  { before, ...options }: ReadOptions & { readonly before: Refreshed | null },
): Promise<Refreshed> {
  const { object } = table;
  const { changes, deletions, writing } = deps.remote.capabilitiesOf(object);
  const reading = startReading(await loadCursor(deps.db, object));
  // What came in while a field was in flight has to be merged before the field goes out again.
  if ((await readAside(deps.db, object, { limit: 1 })).length > 0) {
    await inTurn(deps, reading, options, () => retryAside(deps, table, reading, options));
  }
  if (changes.kind === 'full-scan') {
    await followMerges(deps, table, reading, options);
    if (deletions.kind === 'scan' && deletions.proof === 'scan') return ANEW;
    const due = await readDueRecords(deps.db, object, claimSize(writing));
    await readAlone(deps, table, reading, { ...options, ids: due.ids });
    return { ...ANEW, looked: { ids: due.ids, births: true } };
  }
  const since = before ?? ANEW;
  const due = await readDueRecords(deps.db, object, MOST_ALONE + 1);
  const ids = due.ids.slice(0, MOST_ALONE);
  let unproven = since.isUnproven;
  const byList = async (mostRequests?: number): Promise<Refreshed | null> => {
    const how = { ...options, since, mostRequests };
    const { isProven, isTooLong, reached } = await readList(deps, table, reading, how);
    unproven = !isProven && !isTooLong;
    return isProven ? { ...ANEW, reached } : null;
  };
  if (!unproven && !(await isCheaperAlone(deps, table, { due, since }))) {
    // How long it is shows once it is read.
    const needsAll = due.births && asksForIdentity(deps, table);
    const read = await byList(needsAll ? undefined : ids.length);
    if (read !== null) return read;
  }
  const found = await readAlone(deps, table, reading, { ...options, ids });
  if (!unproven && found < ids.length) {
    // One that is gone may live on in another, of which the list alone tells.
    const read = await byList();
    if (read !== null) return read;
  }
  const births = unproven || !asksForIdentity(deps, table);
  const alone = since.alone + ids.length;
  return { ...since, looked: { ids, births }, alone, isUnproven: unproven };
}

/** Merges that only calls tell of: an edit of what was merged away goes to the survivor first. */
async function followMerges(
  deps: PullDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions,
): Promise<void> {
  const merges = await readMergeHints(deps.db, table.object, MERGES_AT_ONCE);
  if (merges.length === 0) return;
  await inTurn(deps, reading, options, () => followHintedMerges(deps, table, merges, options));
}

/** Merges followed before anything is sent; further ones are followed by whoever reads hints. */
const MERGES_AT_ONCE = 100;

/**
 * In requests. Within a push a list in order is read on from where it ended, which is one page: until
 * then records are read by themselves as long as they come to no more than the list would have. One
 * in no order is read anew before every claim.
 */
async function isCheaperAlone(
  { db, remote, readingCosts }: PullDeps,
  table: MirrorTable,
  { due, since }: { readonly due: DueRecords; readonly since: Refreshed },
): Promise<boolean> {
  const isOrdered = remote.capabilitiesOf(table.object).changes.kind === 'ordered-filter';
  if (since.reached !== null || (isOrdered && due.ids.length > MOST_ALONE)) return false;
  if (due.births && asksForIdentity({ remote }, table)) return false;
  const ofClaim = Math.min(due.ids.length, MOST_ALONE);
  const requests = isOrdered ? since.alone + ofClaim : ofClaim;
  if (requests <= readingCosts.of(table.object)) return true;
  // What was sent from here comes back with the list.
  const atLeast = requests * remote.limits.pageSize;
  return await hasArrived(db, table.object, { atLeast, withinMs: OVERLAP_MS });
}

/** Whether a new record is looked for among those that are there: in the mirror, as the list left it. */
function asksForIdentity({ remote }: Pick<PullDeps, 'remote'>, { schema }: MirrorTable): boolean {
  const { creating } = remote.capabilitiesOf(schema.object);
  if (creating.kind === 'lookup' || schema.identity !== null) return true;
  return schema.fields.some(({ unique }) => unique);
}

/** No turn is taken: it moves no cursor, and a pull may be at it for seconds. @returns how many are there. */
async function readAlone(
  deps: PullDeps,
  table: MirrorTable,
  reading: Reading,
  { ids, ...options }: ReadOptions & { readonly ids: readonly string[] },
): Promise<number> {
  if (ids.length === 0) return 0;
  const readAt = await readDatabaseTime(deps.db);
  const records = await readOneByOne(deps.remote, { object: table.schema, ids }, options);
  await applyPage(deps, table, reading, options, {
    records,
    byCreation: false,
    readAt,
    watermark: null,
  });
  options.onPage?.({ read: records.length, total: null });
  return records.length;
}

/**
 * What the list tells: from where it ended last within this push, else from the watermark.
 *
 * @returns how far it was read, to go on from there; `isProven` where nothing can have been missed.
 */
async function readList(
  deps: PullDeps,
  table: MirrorTable,
  reading: Reading,
  {
    since,
    ...options
  }: ReadOptions & {
    readonly since: Pick<Refreshed, 'reached'>;
    readonly mostRequests?: number | undefined;
  },
): Promise<{
  readonly isProven: boolean;
  readonly isTooLong: boolean;
  readonly reached: string | null;
}> {
  const isOrdered = deps.remote.capabilitiesOf(table.object).changes.kind === 'ordered-filter';
  return await inTurn(deps, reading, options, async () => {
    await retryAside(deps, table, reading, options);
    const { phase, backfill } = reading.cursor;
    let { reached } = since;
    if (reached !== null) {
      // A page of what changed last is thrown away where more than that comes back from here.
      const probe = (options.echoes?.count ?? 0) < deps.remote.limits.pageSize;
      // No watermark moves: what shows late is for the next pull.
      const how = { orderBy: 'updated', from: reached, probe, passing: true } as const;
      reached = (await walkObject(deps, table, reading, { ...options, ...how })) ?? reached;
    } else if (phase === 'backfill' && backfill === null) {
      return { isProven: false, isTooLong: false, reached: null };
    } else {
      await readChanges(deps, table, reading, options);
      reached = isOrdered ? reading.cursor.updatedWatermark : null;
    }
    // A record that has lost its date was read all the same.
    const isProven = reading.state === 'ok' || reading.reason === UNDATED;
    const isTooLong = reading.reason === TOO_LONG;
    return { isProven, isTooLong, reached: isProven ? reached : null };
  });
}

/** Everything that changed, without deletions: merges above all. */
export async function takeInChanges(
  deps: PullDeps,
  table: MirrorTable,
  options: ReadOptions,
): Promise<void> {
  if (deps.remote.capabilitiesOf(table.object).changes.kind === 'full-scan') {
    await refreshBeforePush(deps, table, { ...options, before: null });
    return;
  }
  const reading = startReading(await loadCursor(deps.db, table.object));
  await readList(deps, table, reading, { ...options, since: { reached: null } });
}
