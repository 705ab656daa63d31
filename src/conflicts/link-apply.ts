import type { Transaction } from '../db/connection/database.ts';
import type { Refused } from '../db/connection/guarded.ts';
import { isRowTrouble, type RowTrouble, troubleOf } from '../db/connection/row-trouble.ts';
import { type LinkTable, type LinkView, linkViews, viewsOf } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readGuardedLinks } from '../db/outbox/links.ts';
import { lookAgain } from '../db/position/hints.ts';
import {
  compareLinks,
  deleteLinks,
  insertLinks,
  type LinkRow,
  lockLinks,
  type ToldLinks,
} from '../db/rows/link-rows.ts';
import { deferRecords, putAside } from '../db/rows/set-aside.ts';
import type { Capabilities } from '../domain/capabilities.ts';
import type { RemoteRecord } from '../domain/record.ts';

export interface LinkCounts {
  readonly linked: number;
  readonly unlinked: number;
  /** Records put aside because a user is just making one of their links. */
  readonly deferred: number;
  /** Records of which a constraint or a trigger of others refuses a link. */
  readonly setAside: number;
}

interface LinkContext {
  readonly links: readonly LinkTable[];
  readonly readAt: string;
  /** How late a write may show in what was read; 0, or left out, where it cannot. */
  readonly lateMs?: number | undefined;
  /** What tells the newer of two versions; `stamped` where left out. */
  readonly versions?: Capabilities['versions'] | undefined;
  /** They were put aside before. */
  readonly retry?: boolean;
}

/**
 * Brings link tables up to what records tell of their links: a complete list is the whole set, a
 * capped one only adds. The one way in for links (invariants 2 and 3): what differs is compared,
 * locked without waiting, and only then, in a later statement, left alone where a change of it
 * waits in the outbox or was settled since the records were read, or too shortly before to show.
 *
 * Runs in the caller's transaction, as writer, after the records themselves were applied; safe to
 * repeat. Costs nothing where no record tells of links.
 */
export async function applyLinks(
  tx: Transaction,
  table: MirrorTable,
  records: readonly RemoteRecord[],
  context: LinkContext,
): Promise<LinkCounts> {
  const counts = { linked: 0, unlinked: 0, deferred: 0, setAside: 0 };
  const held = new Set<string>();
  const troubles = new Map<string, RowTrouble>();
  for (const view of linkViews(context.links, table.object)) {
    const told = toldOf(view, records);
    if (told.whole.length === 0 && told.pairs.length === 0) continue;
    const { missing, extra } = await compareLinks(tx, view, table, told);
    if (missing.length === 0 && extra.length === 0) continue;
    const locked = await lockLinks(tx, view, extra);
    const free = await unguarded(tx, view, { missing, extra: locked }, context);
    if (context.lateMs) await lookAgain(tx, table.object, free.doubted);
    const kept = await deleteLinks(tx, view, free.extra);
    const refused = await insertFree(tx, view, free.missing);
    for (const { item, trouble } of [...kept, ...refused]) {
      if (trouble.passing) held.add(item.here);
      else troubles.set(item.here, trouble);
    }
    counts.linked += free.missing.length - refused.length;
    counts.unlinked += free.extra.length - kept.length;
  }
  if (held.size + troubles.size === 0) return counts;
  // A user holds them: like rows, they are tried again with the next pull.
  const aside = records.filter(({ id }) => held.has(id));
  await deferRecords(tx, table.object, aside, context);
  const refusals = records.flatMap((record) => {
    const trouble = troubles.get(record.id);
    return trouble === undefined ? [] : [{ id: record.id, record, trouble }];
  });
  const { readAt, versions } = context;
  const about = { object: table.object, kind: 'link', readAt, versions } as const;
  await putAside(tx, about, refusals);
  return { ...counts, deferred: aside.length, setAside: refusals.length };
}

/** Whether it has anything to say of these links but that they stand. */
export function tellsOf({ links, standing }: RemoteRecord, field: string): boolean {
  return Object.hasOwn(links, field) && standing?.has(field) !== true;
}

function toldOf({ here }: LinkView, records: readonly RemoteRecord[]): ToldLinks {
  const pairs: LinkRow[] = [];
  const whole: string[] = [];
  for (const record of records) {
    const { id, links } = record;
    const linkage = tellsOf(record, here.field) ? links[here.field] : undefined;
    if (!linkage) continue;
    for (const there of linkage.ids) pairs.push({ here: id, there });
    if (linkage.ids.length >= linkage.total) whole.push(id);
  }
  return { pairs, whole };
}

/**
 * Without the links that have a change here, as told by either end. Of records with such that is
 * settled, how it was is read again once what is read is certain.
 */
async function unguarded(
  tx: Transaction,
  view: LinkView,
  found: { readonly missing: readonly LinkRow[]; readonly extra: readonly LinkRow[] },
  context: LinkContext,
) {
  const keys = new Set<string>();
  const doubted = new Map<string, string>();
  for (const told of viewsOf(view.link)) {
    const isTurned = told.here.column !== view.here.column;
    const turn = (row: LinkRow) => (isTurned ? { here: row.there, there: row.here } : row);
    const rows = [...found.missing, ...found.extra].map(turn);
    const guarded = await readGuardedLinks(tx, told, rows, context);
    for (const row of guarded) {
      const { here, there } = turn(row);
      keys.add(keyOf({ here, there }));
      const since = doubted.get(here) ?? '';
      if (row.doneAt !== null && row.doneAt > since) doubted.set(here, row.doneAt);
    }
  }
  const isFree = (row: LinkRow) => !keys.has(keyOf(row));
  return {
    missing: found.missing.filter(isFree),
    extra: found.extra.filter(isFree),
    doubted: [...doubted].map(([id, since]) => ({ id, since })),
  };
}

function keyOf({ here, there }: LinkRow): string {
  return JSON.stringify([here, there]);
}

/** How long an insert may wait for a user who is making the same link. */
const INSERT_LOCK_MS = 50;
/** After this many waits in vain the rest is put aside as well. */
const MOST_WAITS = 20;

/**
 * Inserts links without waiting for users: where the same link is being made in a transaction that
 * is not committed, the insert gives up and is halved until that link is found. So are links that
 * cannot be written, once an attempt without that has failed.
 *
 * @returns those that could not be inserted now.
 */
async function insertFree(
  tx: Transaction,
  view: LinkView,
  rows: readonly LinkRow[],
): Promise<readonly Refused<LinkRow>[]> {
  if (rows.length === 0) return [];
  const refused: Refused<LinkRow>[] = [];
  const table = `${tx.schemas.mirror}.${view.link.name}`;
  let waits = 0;
  let last: RowTrouble | null = null;
  const insert = async (part: readonly LinkRow[]): Promise<void> => {
    if (waits >= MOST_WAITS && last !== null) {
      const trouble = last;
      refused.push(...part.map((item) => ({ item, trouble })));
      return;
    }
    let trouble: RowTrouble;
    await tx.query('SAVEPOINT link_insert');
    try {
      await insertLinks(tx, view, part);
      await tx.query('RELEASE SAVEPOINT link_insert');
      return;
    } catch (error) {
      if (!isRowTrouble(error)) throw error;
      trouble = troubleOf(error, table);
      if (!trouble.passing && tx.isolatesUntilMs === null) throw error;
      await tx.query('ROLLBACK TO SAVEPOINT link_insert');
    }
    last = trouble;
    if (trouble.passing || performance.now() > (tx.isolatesUntilMs ?? Infinity)) waits += 1;
    if (part.length === 1) {
      refused.push(...part.map((item) => ({ item, trouble })));
      return;
    }
    const half = Math.ceil(part.length / 2);
    await insert(part.slice(0, half));
    await insert(part.slice(half));
  };
  const [before] = await tx.query<{ limit: string }>(
    `SELECT current_setting('lock_timeout') AS limit, set_config('lock_timeout', $1, true)`,
    [`${INSERT_LOCK_MS}ms`],
  );
  await insert(rows);
  await tx.query(`SELECT set_config('lock_timeout', $1, true)`, [before?.limit ?? '10s']);
  return refused;
}
