import { applyRead } from '../conflicts/apply-read.ts';
import { carryOver, type MergeCounts } from '../conflicts/follow-merges.ts';
import { contextOf, type ReadDeps, type ReadOptions } from '../conflicts/read-object.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { type DueHint, doubtMerges, endHints, putOffHints } from '../db/position/hints.ts';
import type { Merge } from '../db/reconcile/links.ts';
import { mapMerged, readMergedInto, readNewMerges } from '../db/reconcile/merges.ts';
import { readCurrentIds } from '../db/rows/identities.ts';
import { RemoteError } from '../domain/errors.ts';
import type { RemoteRecord } from '../domain/record.ts';

/** Looked for so often, over minutes, a record that others were merged into is gone as well. */
const MOST_LOOKS = 8;
/** Requests under way at a time. */
const AT_ONCE = 8;

/** What the records say of a merge that was told. */
type Verdict =
  /** Gone, twice asked, and the other one is there. */
  | { readonly kind: 'merged'; readonly survivor: RemoteRecord }
  /** It stands: the telling was wrong, or comes before the showing. */
  | { readonly kind: 'alive'; readonly record: RemoteRecord }
  /** Both are gone, as far as this key sees: merged on, perhaps, or not shown yet. */
  | { readonly kind: 'lost' }
  /** Being merged, or nobody could be asked: to be looked at later. */
  | { readonly kind: 'open' };

/**
 * Follows merges that the CRM has told of, and that no record tells: once the record that is gone
 * answers twice that it is not there, and the one it lives on in answers, everything of the one goes to
 * the other: row, links, references and edits, which merge there three ways (invariant 6). All in one
 * transaction with the end of the hints, so that it may be killed anywhere. Told late, twice or in
 * another order it comes to the same: a survivor that was merged on is looked up.
 *
 * @returns what came of it, and how many requests it took.
 * @throws RemoteError
 */
export async function followHintedMerges(
  deps: ReadDeps,
  table: MirrorTable,
  hints: readonly DueHint[],
  options: ReadOptions,
): Promise<MergeCounts & { readonly requests: number }> {
  const none = { merged: 0, deferred: 0, setAside: 0, conflicts: 0, requests: 0 };
  if (hints.length === 0) return none;
  const { object } = table;
  const readAt = await readDatabaseTime(deps.db);
  const merges = await currentMerges(deps, object, hints);
  const news = await readNewMerges(deps.db, table, [...merges.values()]);
  const isNews = new Set(news.map(({ oldId }) => oldId));
  const asked = hints.filter(({ id }) => isNews.has(id));
  const verdicts = await judgeAll(deps, table, { merges, asked }, options);
  const of = (...kinds: readonly Verdict['kind'][]) =>
    asked.filter(({ id }) => kinds.includes(verdicts.get(id)?.kind ?? 'open'));

  const followed = of('merged');
  const told = followed.flatMap(({ id }) => merges.get(id) ?? []);
  const survivors = await withMergedIds(deps, object, told, verdicts);
  const alive = [...verdicts.values()].flatMap((one) => (one.kind === 'alive' ? [one.record] : []));
  const records = [...survivors.values(), ...alive];
  const context = await contextOf(deps, table, { records, readAt }, options);
  const known = new Set(news.filter((merge) => merge.known).map(({ oldId }) => oldId));
  const lost = of('lost');
  const waiting = [...of('open'), ...of('lost', 'alive').filter(({ looks }) => looks < MOST_LOOKS)];
  const counts = await deps.db.transaction(
    async (tx) => {
      // Told of what is followed already, or of what was never so.
      const over = hints.filter((hint) => !waiting.includes(hint) && !lost.includes(hint));
      await endHints(tx, object, over);
      await putOffHints(tx, object, waiting);
      await doubtMerges(
        tx,
        object,
        lost.filter((hint) => !waiting.includes(hint)),
      );
      await applyRead(tx, table, alive, context);
      // What never stood here left nothing but, perhaps, its id in old files.
      await mapMerged(
        tx,
        object,
        told.filter(({ oldId }) => !known.has(oldId)),
      );
      const carried = told.filter(({ oldId }) => known.has(oldId));
      return await carryOver(tx, table, { merges: carried, survivors }, context);
    },
    { asWriter: true },
  );
  return { ...counts, requests: asked.length * 2 };
}

/** By the vanished id: where it lives on by now, as far as that is on record. */
async function currentMerges(
  { db }: Pick<ReadDeps, 'db'>,
  object: string,
  hints: readonly DueHint[],
): Promise<ReadonlyMap<string, Merge>> {
  const told = hints.flatMap(({ id, survivor }) => (survivor === null ? [] : [{ id, survivor }]));
  const current = await readCurrentIds(
    db,
    object,
    told.map(({ survivor }) => survivor),
  );
  return new Map(
    told.map(({ id, survivor }) => [id, { oldId: id, id: current.get(survivor) ?? survivor }]),
  );
}

async function judgeAll(
  deps: Pick<ReadDeps, 'remote'>,
  table: MirrorTable,
  about: {
    readonly merges: ReadonlyMap<string, Merge>;
    readonly asked: readonly DueHint[];
  },
  options: ReadOptions,
): Promise<ReadonlyMap<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  for (let from = 0; from < about.asked.length; from += AT_ONCE) {
    options.signal.throwIfAborted();
    const part = about.asked.slice(from, from + AT_ONCE);
    const found = await Promise.all(
      part.map(async ({ id }): Promise<Verdict> => {
        const merge = about.merges.get(id);
        return merge === undefined ? { kind: 'open' } : await judge(deps, table, merge, options);
      }),
    );
    for (const [index, { id }] of part.entries()) {
      verdicts.set(id, found[index] ?? { kind: 'open' });
    }
  }
  return verdicts;
}

async function judge(
  { remote }: Pick<ReadDeps, 'remote'>,
  { schema }: MirrorTable,
  merge: Merge,
  { signal, priority, withinMs }: ReadOptions,
): Promise<Verdict> {
  const call = { signal, priority, ...(withinMs !== undefined && { withinMs }) };
  try {
    const survivor = await remote.readRecord({ object: schema, id: merge.id }, call);
    const gone = { object: schema, id: merge.oldId, certain: true };
    const record = await remote.readRecord(gone, call);
    if (record !== null) return { kind: 'alive', record };
    return survivor === null ? { kind: 'lost' } : { kind: 'merged', survivor };
  } catch (error) {
    if (!(error instanceof RemoteError) || signal.aborted) throw error;
    if (error.status === 403) return { kind: 'lost' };
    // Being merged is no evidence of anything, and one record that fails holds up nothing else.
    if (error.disposition === 'retry') return { kind: 'open' };
    throw error;
  }
}

/** The survivors, as if they told themselves who was merged into them: all that is on record. */
async function withMergedIds(
  { db }: Pick<ReadDeps, 'db'>,
  object: string,
  merges: readonly Merge[],
  verdicts: ReadonlyMap<string, Verdict>,
): Promise<ReadonlyMap<string, RemoteRecord>> {
  if (merges.length === 0) return new Map();
  const ends = merges.flatMap(({ oldId, id }) => [oldId, id]);
  const before = await readMergedInto(db, object, ends);
  const survivors = new Map<string, RemoteRecord>();
  for (const { oldId, id } of merges) {
    const verdict = verdicts.get(oldId);
    if (verdict?.kind !== 'merged') continue;
    const known = survivors.get(id)?.mergedIds ?? before.get(id) ?? [];
    const mergedIds = [...new Set([...known, ...(before.get(oldId) ?? []), oldId])];
    survivors.set(id, { ...verdict.survivor, mergedIds: mergedIds.filter((one) => one !== id) });
  }
  return survivors;
}
