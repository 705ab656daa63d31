import {
  type DueFeed,
  type FailedFeed,
  noteFeeds,
  postponeFeeds,
  type ReadFeed,
  readDueFeeds,
  settleFeeds,
} from '../db/activities/feeds.ts';
import {
  type ActivityRow,
  activityRows,
  eventName,
  writeActivities,
} from '../db/activities/rows.ts';
import { ensureActivityTable } from '../db/activities/table.ts';
import type { Database } from '../db/connection/database.ts';
import { guarded } from '../db/connection/guarded.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { joinRepeats } from '../domain/activity-repeats.ts';
import { RemoteError } from '../domain/errors.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';

export interface ActivityDeps {
  readonly db: Database;
  readonly readActivities: NonNullable<Remote['readActivities']>;
}

export interface ActivityCounts {
  /** Feeds that were read to their end. */
  readonly read: number;
  readonly failed: number;
  /** Rows that are new. */
  readonly rows: number;
  /** Others are due. */
  readonly waiting: boolean;
}

/** A kill loses what was read of as many. */
const FEEDS_A_BATCH = 64;
/** Longer feeds are written before they are read to the end. */
const MOST_ROWS = 5_000;
/** Enough to use what a minute allows where an answer takes a fifth of a second. */
const AT_ONCE = 8;
/** After so many feeds in a row that never failed before, it is not their own trouble. */
const MOST_FAILURES = 20;
/** A server that goes on for ever is broken. */
const MOST_PAGES = 2_000;

/**
 * Makes the table of what happened to an object's records, and notes whose feeds have to be read.
 *
 * @returns how many are new, or due again.
 */
export async function noteActivities(db: Database, mirror: MirrorTable): Promise<number> {
  await ensureActivityTable(db, mirror);
  return await noteFeeds(db, mirror);
}

/**
 * Reads a batch of feeds that are due, one request each where they are no longer than a page, and
 * writes what they tell: rows and how far each was read in one transaction. A feed that fails harms
 * only itself; where the CRM does not answer at all, the rest waits unblamed.
 *
 * @throws RemoteError where it is not about one feed, once what was read is written.
 */
export async function pullActivities(
  { db, readActivities }: ActivityDeps,
  mirror: MirrorTable,
  options: CallOptions,
): Promise<ActivityCounts> {
  const due = await readDueFeeds(db, mirror, FEEDS_A_BATCH + 1);
  const sink = createSink(db, mirror, await ensureActivityTable(db, mirror));
  const feeds = due.slice(0, FEEDS_A_BATCH).values();
  let inARow = 0;
  const failures: unknown[] = [];

  async function readOne(feed: DueFeed): Promise<void> {
    try {
      await readFeed(feed);
      inARow = 0;
    } catch (error) {
      if (!(error instanceof RemoteError) || options.signal.aborted || !isItsOwn(error))
        throw error;
      sink.failed({ recordId: feed.recordId, code: error.code });
      if (feed.attempts === 0) inARow += 1;
      if (inARow === MOST_FAILURES) throw error;
    }
  }

  async function readFeed({ recordId, wanted, newestEvent, isWhole }: DueFeed): Promise<void> {
    let newest: Pick<ReadFeed, 'newestEvent' | 'newestAt'> | null = null;
    let isLegible = true;
    let isBirthTold = false;
    let offset: number | null = 0;
    let isKnown = false;
    for (let pages = 0; offset !== null && !isKnown; pages += 1) {
      if (pages === MOST_PAGES) {
        isLegible = false;
        break;
      }
      const page = await readActivities({ object: mirror.schema, id: recordId, offset }, options);
      const [first] = page.activities;
      if (first !== undefined) newest ??= { newestEvent: eventName(first), newestAt: first.at };
      const rows = joinRepeats(page.activities).map((activity) =>
        activityRows(mirror, recordId, activity),
      );
      isLegible &&= page.isLegible && !rows.includes(null);
      isBirthTold ||= page.activities.some(({ kind }) => kind === 'create');
      isKnown = page.activities.some((activity) => eventName(activity) === newestEvent);
      await sink.write(rows.flatMap((each) => each ?? []));
      // Pages are further apart the further one reads, or there is no end.
      offset = page.next !== null && page.next > offset ? page.next : null;
    }
    sink.read({
      recordId,
      wanted,
      newestEvent: newest?.newestEvent ?? null,
      newestAt: newest?.newestAt ?? null,
      isWhole: isLegible && (isBirthTold || (isKnown && isWhole)),
    });
  }

  async function work(): Promise<void> {
    for (const feed of feeds) {
      if (failures.length > 0 || options.signal.aborted) return;
      await readOne(feed).catch((error: unknown) => {
        failures.push(error);
      });
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const counts = await sink.end();
  if (failures.length > 0) throw failures[0];
  return { ...counts, waiting: due.length > counts.read + counts.failed };
}

/** Answers that are about the key, or about how much is asked. */
const EVERYBODYS = new Set([401, 429]);
/** Of one that nothing is heard of, or too much: it must not keep the others waiting. */
const UNANSWERED = new Set(['remote-timeout', 'remote-answer-too-large']);

/** Whether it is about this feed, and not about the CRM, the key or the network. */
function isItsOwn({ code, status }: RemoteError): boolean {
  return status === null ? UNANSWERED.has(code) : !EVERYBODYS.has(status);
}

interface Gathered {
  readonly rows: readonly ActivityRow[];
  readonly read: readonly ReadFeed[];
  readonly failed: readonly FailedFeed[];
}

/** A constraint or trigger of somebody else's, or a lock, keeps a row of it out. */
const ROW_REFUSED = 'row-refused';

function byRecord(rows: readonly ActivityRow[]): readonly (readonly [string, ActivityRow[]])[] {
  const byId = new Map<string, ActivityRow[]>();
  for (const row of rows) {
    const recordId = String(row[0]);
    const own = byId.get(recordId) ?? [];
    byId.set(recordId, own);
    own.push(row);
  }
  return [...byId];
}

/** Gathers what is read, and writes it in few transactions, one after the other. */
function createSink(db: Database, mirror: MirrorTable, table: string) {
  let rows: ActivityRow[] = [];
  let read: ReadFeed[] = [];
  let failed: FailedFeed[] = [];
  let writing = Promise.resolve();
  /** Records of which a row could not be written: their feeds were not read whole. */
  const refused = new Set<string>();
  const counts = { read: 0, failed: 0, rows: 0 };

  async function store(taken: Gathered, before: Promise<void>): Promise<void> {
    await before;
    const done = await db.transaction(
      async (tx) => {
        let written = 0;
        const left = await guarded(tx, table, byRecord(taken.rows), async (part) => {
          written += await writeActivities(
            tx,
            { table, mirror },
            part.flatMap(([, own]) => own),
          );
        });
        const unwritten = new Set([...refused, ...left.map(({ item: [recordId] }) => recordId)]);
        const [lost, whole] = [true, false].map((is) =>
          taken.read.filter(({ recordId }) => unwritten.has(recordId) === is),
        );
        const failures = [
          ...taken.failed,
          ...(lost ?? []).map(({ recordId }) => ({ recordId, code: ROW_REFUSED })),
        ];
        await settleFeeds(tx, mirror.object, whole ?? []);
        await postponeFeeds(tx, mirror.object, failures);
        return { written, unwritten, read: whole?.length ?? 0, failed: failures.length };
      },
      { asWriter: true },
    );
    for (const recordId of done.unwritten) refused.add(recordId);
    counts.rows += done.written;
    counts.read += done.read;
    counts.failed += done.failed;
  }

  async function flush(): Promise<void> {
    const taken = { rows, read, failed };
    [rows, read, failed] = [[], [], []];
    writing = store(taken, writing);
    await writing;
  }

  return {
    async write(more: readonly ActivityRow[]): Promise<void> {
      rows.push(...more);
      if (rows.length >= MOST_ROWS) await flush();
    },
    read(feed: ReadFeed): void {
      read.push(feed);
    },
    failed(feed: FailedFeed): void {
      failed.push(feed);
    },
    async end() {
      await flush();
      return counts;
    },
  };
}
