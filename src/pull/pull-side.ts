import type { Database, Transaction } from '../db/connection/database.ts';
import { guarded } from '../db/connection/guarded.ts';
import { dropPages, pagesAreWhole, putPage, resumePages } from '../db/side/pages.ts';
import {
  type DueReading,
  postponeReading,
  readDueReadings,
  type SideScope,
  settleReadings,
} from '../db/side/readings.ts';
import type { SideTable } from '../db/side/tables.ts';
import { type SideReading, type SideWrites, writeSide, writeSidePages } from '../db/side/write.ts';
import { RemoteError } from '../domain/errors.ts';
import type { CallOptions, ReadSide } from '../domain/remote.ts';
import type { SideItem, SideUnit } from '../domain/side.ts';

export interface SideDeps {
  readonly db: Database;
  readonly readSide: ReadSide;
  /** Asked between requests: what is left is done another time. */
  readonly isOver: () => boolean;
  /** Told of all that was read so far, now and then. */
  readonly onRead?: ((counts: SideCounts) => void) | undefined;
}

export interface SideTask extends SideScope {
  readonly side: SideTable;
  /** Quoted, with its schema. */
  readonly table: string;
  /** When one that was read is read again; null: when its record has another version. */
  readonly everyMs: number | null;
  /** Of what no list tells: the ids of a unit. */
  readonly idsOf?: (unit: SideUnit) => Promise<readonly string[]>;
}

export interface SideCounts extends SideWrites {
  readonly read: number;
  readonly failed: number;
}

/** Units that are settled together. */
const BATCH = 100;
/** Requests under way at once, behind everything else. */
const AT_ONCE = 4;
const PAGE = 500;
/**
 * Records that fail together, and none beside them that does not: it is their object that does. So many
 * in a row that nothing is heard of: it is the CRM.
 */
const MANY = 5;

type Outcome =
  /** Items of one page, to be written with others. */
  | {
      readonly kind: 'read';
      readonly unit: DueReading;
      readonly items: readonly SideItem[];
      readonly asked?: readonly string[];
    }
  /** Written already, page by page. */
  | { readonly kind: 'written'; readonly writes: SideWrites }
  | { readonly kind: 'failed'; readonly unit: DueReading; readonly error: RemoteError }
  /** Somebody's constraint, trigger or lock keeps its rows out; it has been told to wait. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'left' };

/**
 * Reads every unit that is due, until none is. One that cannot be had harms only itself: it waits. Where
 * the CRM does not answer at all, or a whole batch fails, the rest waits unblamed.
 *
 * @throws what stopped it: the CRM's trouble, or what is no RemoteError.
 */
export async function pullSide(
  deps: SideDeps,
  task: SideTask,
  options: CallOptions,
): Promise<SideCounts> {
  const { db } = deps;
  const { part, everyMs } = task;
  const counts = { read: 0, failed: 0, added: 0, changed: 0, removed: 0 };
  const add = ({ added, changed, removed }: SideWrites) => {
    counts.added += added;
    counts.changed += changed;
    counts.removed += removed;
  };
  while (!deps.isOver() && !options.signal.aborted) {
    const due = await readDueReadings(db, task, BATCH);
    if (due.length === 0) break;
    const { outcomes, stops } = await readBatch(deps, task, { due, options });
    const read = outcomes.flatMap((one) => (one.kind === 'read' ? [one] : []));
    const stored = await writeUnits(db, task, read);
    stored.written.forEach(add);
    for (const one of outcomes) {
      if (one.kind === 'written') add(one.writes);
      if (one.kind !== 'failed') continue;
      await postponeReading(db, part, { ...one.unit, code: one.error.code, everyMs });
    }
    const failures = outcomes.flatMap((one) => (one.kind === 'failed' ? [one.error] : []));
    const done = outcomes.filter(({ kind }) => kind === 'read' || kind === 'written').length;
    const refused = stored.refused + outcomes.filter(({ kind }) => kind === 'refused').length;
    counts.read += done - stored.refused;
    counts.failed += failures.length + refused;
    deps.onRead?.(counts);
    if (stops.length > 0) throw stops[0];
    // Nothing of it answers: that is no unit's own.
    const many = task.object === null ? 1 : MANY;
    const [failure] = failures;
    if (failure !== undefined && done === 0 && failures.length >= many) throw failure;
  }
  return counts;
}

/** A constraint or trigger of somebody else's, or a lock, keeps a row of it out. */
const ROW_REFUSED = 'row-refused';

/** One whose rows cannot be written harms only itself: it waits, as one that cannot be read. */
async function writeUnits(
  db: Database,
  { table, side, part, everyMs }: SideTask,
  read: readonly (Outcome & { readonly kind: 'read' })[],
): Promise<{ readonly written: readonly SideWrites[]; readonly refused: number }> {
  if (read.length === 0) return { written: [], refused: 0 };
  const work = async (tx: Transaction) => {
    const written: SideWrites[] = [];
    const left = await guarded(tx, table, read, async (some) => {
      const readings = some.map(
        ({ unit, items, asked }): SideReading => ({ ...unit, items, asked }),
      );
      written.push(await writeSide(tx, { table, side }, readings));
    });
    const refused = new Set(left.map(({ item }) => item));
    const settled = read.filter((one) => !refused.has(one)).map(({ unit }) => unit);
    await settleReadings(tx, part, { readings: settled, everyMs });
    for (const { unit } of refused) {
      await postponeReading(tx, part, { ...unit, code: ROW_REFUSED, everyMs });
    }
    return { written, refused: refused.size };
  };
  return await db.transaction(work, { asWriter: true });
}

/** In a few lanes; the first error that is everybody's ends all of them. */
async function readBatch(
  deps: SideDeps,
  task: SideTask,
  { due, options }: { readonly due: readonly DueReading[]; readonly options: CallOptions },
): Promise<{ readonly outcomes: readonly Outcome[]; readonly stops: readonly unknown[] }> {
  const outcomes: Outcome[] = [];
  const left = due.values();
  const stops: unknown[] = [];
  let unanswered = 0;
  const lane = async () => {
    for (const unit of left) {
      if (stops.length > 0 || options.signal.aborted) return;
      try {
        outcomes.push(await readUnit(deps, task, { unit, options }));
        unanswered = 0;
      } catch (error) {
        if (!isItsOwn(error) || options.signal.aborted) {
          stops.push(error);
          continue;
        }
        outcomes.push({ kind: 'failed', unit, error });
        unanswered = error.status === null ? unanswered + 1 : 0;
        if (unanswered >= MANY) stops.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { outcomes, stops };
}

/** Of one that nothing is heard of, or too much: it must not keep the others waiting. */
const UNANSWERED = new Set(['remote-timeout', 'remote-answer-too-large']);

/** Whether it is about this unit, and not about the CRM, the key or the network. */
function isItsOwn(error: unknown): error is RemoteError {
  if (!(error instanceof RemoteError) || error.disposition === 'halt') return false;
  const { code, status } = error;
  return status === null ? UNANSWERED.has(code) : status !== 401 && status !== 429;
}

interface Reading {
  readonly unit: DueReading;
  readonly options: CallOptions;
}

async function readUnit(
  deps: SideDeps,
  task: SideTask,
  { unit, options }: Reading,
): Promise<Outcome> {
  const { part } = task;
  const { object, key } = unit;
  if (!unit.begun) {
    const asked = await task.idsOf?.(unit);
    const ids = asked === undefined ? {} : { ids: asked };
    const request = { part, object, key, offset: 0, limit: PAGE, ...ids };
    const first = await deps.readSide(request, options);
    if (!first.more) return { kind: 'read', unit, items: first.items, ...(asked && { asked }) };
    await putPage(deps.db, part, { ...first, object, key, page: 0 });
  }
  return await readPages(deps, task, { unit, options });
}

/** The rest of a unit that takes several pages, each put down when it is there, so that memory holds one. */
async function readPages(
  deps: SideDeps,
  { part, side, table, everyMs }: SideTask,
  { unit, options }: Reading,
): Promise<Outcome> {
  const { db, readSide } = deps;
  const { object, key } = unit;
  let { pages, items, lastIds } = await resumePages(db, part, unit);
  for (let more = true; more; ) {
    if (deps.isOver()) return { kind: 'left' };
    const request = { part, object, key, offset: items, limit: PAGE };
    const page = await readSide(request, options);
    const known = new Set(lastIds);
    lastIds = page.items.map(({ id }) => id);
    // One that knows no pages shows the same again, and for ever.
    more = page.more && lastIds.some((id) => !known.has(id));
    await putPage(db, part, { ...page, object, key, page: pages });
    pages += 1;
    items += page.items.length;
  }
  const work = async (tx: Transaction): Promise<Outcome> => {
    const isWhole = await pagesAreWhole(tx, part, unit);
    let writes: SideWrites = { added: 0, changed: 0, removed: 0 };
    const refused = await guarded(tx, table, [unit], async () => {
      writes = await writeSidePages(tx, { table, side, part }, { ...unit, isWhole });
    });
    await dropPages(tx, part, unit);
    if (refused.length > 0) {
      await postponeReading(tx, part, { ...unit, code: ROW_REFUSED, everyMs });
      return { kind: 'refused' };
    }
    if (isWhole) await settleReadings(tx, part, { readings: [unit], everyMs });
    else await postponeReading(tx, part, { ...unit, code: MOVED, everyMs });
    return { kind: 'written', writes };
  };
  return await db.transaction(work, { asWriter: true });
}

/** The list was changed while it was read, and hid somebody: it is read again. */
const MOVED = 'side-list-moved';
