import type { Database, Transaction } from '../db/connection/database.ts';
import { ownViews } from '../db/mirror/links.ts';
import { loadMirror } from '../db/mirror/load.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { moveReferences, readMerges } from '../db/reconcile/merges.ts';
import { moveEntries, readCurrentIds, rewriteReferences } from '../db/rows/identities.ts';
import { dropDeadLinks, renameLinks } from '../db/rows/link-rows.ts';
import { readVersions } from '../db/rows/mirror-rows.ts';
import {
  type Aside,
  type AsideKind,
  dropAside,
  dropDue,
  makeDue,
  readAside,
} from '../db/rows/set-aside.ts';
import { applyRead } from './apply-read.ts';
import { cancelEdits } from './cancel-edits.ts';
import { applyLinks } from './link-apply.ts';
import {
  addApplied,
  contextOf,
  type ReadDeps,
  type Reading,
  type ReadOptions,
} from './read-object.ts';
import { removeRows } from './remove-rows.ts';

/** What was put aside is tried again in batches of so many, of what is due one at a time. */
const BATCH = 500;

/**
 * Tries again what was put aside: because somebody held the row, or because a constraint or a
 * trigger refused it. What is refused again waits longer than before.
 */
export async function retryAside(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions,
): Promise<void> {
  const everything = options.everything === true;
  let after = '';
  for (;;) {
    options.signal.throwIfAborted();
    const all = everything ? { after } : undefined;
    const batch = await readAside(deps.db, table.object, { limit: BATCH, all });
    await apply(deps, table, reading, { ...options, batch });
    await remove(deps.db, table, reading, ofKind(batch, 'remove'));
    await refer(deps.db, table, ofKind(batch, 'refer'));
    await link(deps, table, ofKind(batch, 'link'));
    const last = batch.at(-1);
    if (!everything || last === undefined || batch.length < BATCH) return;
    after = `${last.id} ${last.kind}`;
  }
}

function ofKind<Kind extends AsideKind>(batch: readonly Aside[], kind: Kind) {
  return batch.filter((one): one is Extract<Aside, { readonly kind: Kind }> => one.kind === kind);
}

async function apply(
  deps: ReadDeps,
  table: MirrorTable,
  reading: Reading,
  options: ReadOptions & { readonly batch: readonly Aside[] },
): Promise<void> {
  const waiting = ofKind(options.batch, 'apply');
  for (const readAt of new Set(waiting.map((one) => one.readAt))) {
    const records = waiting.filter((one) => one.readAt === readAt).map(({ record }) => record);
    const context = await contextOf(deps, table, { records, readAt }, options);
    const applied = await deps.db.transaction(
      (tx) => applyRead(tx, table, records, { ...context, retry: true }),
      { asWriter: true },
    );
    addApplied(reading, applied);
  }
}

/** A clock that cuts to the second tells an edit made within it no later than the deletion. */
const STAMP_MS = 1_000;

/** Edits made meanwhile of a row that only stands because something keeps it come to nothing. */
async function remove(
  db: Database,
  table: MirrorTable,
  reading: Reading,
  waiting: readonly Extract<Aside, { readonly kind: 'remove' }>[],
): Promise<void> {
  if (waiting.length === 0) return;
  const { object } = table;
  const { removed, setAside } = await db.transaction(
    async (tx) => {
      const ids = waiting.map(({ id }) => id);
      const versions = await readVersions(tx, table, ids);
      // Written since: the record is there again.
      const isBack = ({ id, readAt, tombstone }: (typeof waiting)[number]) =>
        Date.parse(versions.get(id) ?? '') > Date.parse(tombstone.deletedAt ?? readAt) + STAMP_MS;
      const due = waiting.filter((one) => versions.has(one.id) && !isBack(one));
      const gone = new Set<string>();
      const kept = new Set<string>();
      for (const readAt of new Set(due.map((one) => one.readAt))) {
        const part = due.filter((one) => one.readAt === readAt);
        const tombstones = part.map(({ id, tombstone }) => ({ id, ...tombstone }));
        const outcome = await removeRows(tx, table, tombstones, { readAt, retry: true });
        for (const id of outcome.removed) gone.add(id);
        for (const id of outcome.setAside) kept.add(id);
      }
      const merged = due.filter(({ tombstone }) => tombstone.reason === 'merged');
      const survivors = await readCurrentIds(
        tx,
        object,
        merged.map(({ id }) => id),
      );
      await moveEntries(tx, object, [...survivors.values()]);
      await cancelEdits(tx, object, [...gone, ...kept]);
      const done = waiting.filter((one) => gone.has(one.id) || !due.includes(one));
      await dropAside(
        tx,
        { object, kinds: ['remove'] },
        done.map(({ id }) => id),
      );
      return { removed: gone.size, setAside: kept.size };
    },
    { asWriter: true },
  );
  reading.readAt = null;
  reading.counts.removed += removed;
  reading.counts.setAside += setAside;
}

/** References, by ids given here and by ids of records that were merged away. */
async function refer(db: Database, table: MirrorTable, waiting: readonly Aside[]): Promise<void> {
  await again(db, table, { kind: 'refer', waiting }, async (tx) => {
    await rewriteReferences(tx, [table]);
    const targets = table.schema.fields.flatMap(({ relationship }) => relationship?.object ?? []);
    for (const target of new Set(targets)) {
      await moveReferences(tx, [table], target, await readMerges(tx, target));
    }
  });
}

async function link(
  deps: ReadDeps,
  table: MirrorTable,
  waiting: readonly Extract<Aside, { readonly kind: 'link' }>[],
): Promise<void> {
  const { lateMs, versions } = deps.remote.capabilitiesOf(table.object);
  await again(deps.db, table, { kind: 'link', waiting }, async (tx) => {
    for (const { record, readAt } of waiting) {
      if (record === null) continue;
      await applyLinks(tx, table, [record], {
        links: deps.links,
        readAt,
        lateMs,
        versions,
        retry: true,
      });
    }
    const links = ownViews(deps.links, table.object).map((view) => view.link);
    await renameLinks(tx, links, { all: true });
    await dropDeadLinks(tx, links, (await loadMirror(tx)).tables);
  });
}

/** Does once more what finds its rows itself: what it does not put aside anew is done. */
async function again(
  db: Database,
  { object }: MirrorTable,
  what: { readonly kind: 'refer' | 'link'; readonly waiting: readonly Aside[] },
  run: (tx: Transaction) => Promise<void>,
): Promise<void> {
  if (what.waiting.length === 0) return;
  const ids = what.waiting.map(({ id }) => id);
  await db.transaction(
    async (tx) => {
      await makeDue(tx, { object, kind: what.kind }, ids);
      await run(tx);
      await dropDue(tx, { object, kind: what.kind }, ids);
    },
    { asWriter: true },
  );
}
