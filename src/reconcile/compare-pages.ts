import { appliesAny, applyRead } from '../conflicts/apply-read.ts';
import { readLinkedPage } from '../conflicts/link-pages.ts';
import { contextOf, refuseAll } from '../conflicts/read-object.ts';
import { withinLockTimeout } from '../db/connection/database.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { readUnplaced, readUnseen } from '../db/reconcile/rows.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { formatInstant, parseInstant } from '../domain/walk/instant.ts';
import { acceptPage, nextRequest, startWalk } from '../domain/walk/walk.ts';
import { ALL_TIME } from './all-time.ts';
import type { Span } from './halving.ts';
import { type Pass, suspect } from './pass.ts';

/** What reading came to. */
export interface PagesCompared {
  /** Records that stood on one side alone. */
  readonly differences: number;
  /** Why the pages prove nothing; null where they do. */
  readonly problem: string | null;
}

/** Rows without a record are looked for at the end of so many: it takes as long for a page as for ten. */
const SEEN_AT_ONCE = 5_000;

/**
 * Reads every record created within a span and applies it, which repairs what is missing or
 * differs; rows of the span that no page showed become suspects. By the walk that loses nothing
 * while records come and go. Holds one page, and the ids of a few and of the records of one instant.
 *
 * @param span null for everything, records without a creation included.
 */
export async function comparePages(pass: Pass, span: Span | null): Promise<PagesCompared> {
  const { deps, table, counts } = pass;
  const { fromMs, toMs } = span ?? ALL_TIME;
  const before = counts.missing + pass.suspects.size;
  const to = span === null ? undefined : formatInstant(toMs);
  let state = startWalk({
    orderBy: 'created',
    from: span === null ? null : formatInstant(fromMs),
    limit: deps.remote.limits.pageSize,
    probe: false,
    startedAtMs: Number.MAX_SAFE_INTEGER,
  });
  const seen = new Map<string, number>();
  const undated: string[] = [];
  let frontierMs = fromMs;
  let lookedAt: string | null = null;
  for (let request = nextRequest(state); request; request = nextRequest(state)) {
    pass.options.signal.throwIfAborted();
    const readAt: string = lookedAt ?? (await readDatabaseTime(deps.db));
    const depth = pass.options.deep ? 'all' : 'changed';
    const how = { ...pass.options, depth, recognises: true } as const;
    const page = await readLinkedPage(deps, table, { ...request, to }, how);
    counts.requests += page.requests;
    counts.read += page.records.length;
    const step = acceptPage(state, {
      records: page.records.map(({ id, createdAt, updatedAt }) => {
        return { id, at: createdAt, version: updatedAt };
      }),
      total: page.total,
      more: page.more,
    });
    state = step.state;
    const accepted = step.accepted.flatMap((index) => page.records[index] ?? []);
    const isApplied = await applyPage(pass, accepted, readAt);
    // What was written since is no newer than what is read next.
    lookedAt = isApplied ? null : page.lookedAt;
    for (const { id, createdAt } of page.records) {
      const createdMs = parseInstant(createdAt);
      if (createdMs === null) undated.push(id);
      else if (createdMs >= frontierMs) seen.set(id, createdMs);
    }
    pass.witness ??= page.records[0]?.id ?? null;
    pass.options.onPage?.({ read: page.records.length, total: span === null ? page.total : null });
    if (step.verdict === 'incomplete') {
      return { differences: 0, problem: `walk-${step.problem ?? 'unproven'}` };
    }
    const provenMs = step.done ? toMs + 1 : (parseInstant(step.watermark) ?? frontierMs);
    const isDue = step.done || seen.size >= SEEN_AT_ONCE;
    if (isDue && provenMs > frontierMs) {
      await findUnseen(pass, { fromMs: frontierMs, toMs: provenMs - 1 }, seen);
      frontierMs = provenMs;
    }
    if (pass.isFull) break;
  }
  if (span === null && !pass.isFull) {
    const limit = pass.suspectLimit - pass.suspects.size;
    const lost = await readUnplaced(withinLockTimeout(deps.db), table, ALL_TIME, {
      seen: undated,
      limit,
    });
    for (const id of lost) suspect(pass, id);
  }
  return { differences: counts.missing + pass.suspects.size - before, problem: null };
}

/** Rows of a stretch that has been read to its end, without a record on any page. */
async function findUnseen(pass: Pass, span: Span, seen: Map<string, number>): Promise<void> {
  const within: string[] = [];
  for (const [id, createdMs] of seen) {
    if (createdMs > span.toMs) continue;
    within.push(id);
    seen.delete(id);
  }
  const limit = pass.suspectLimit - pass.suspects.size;
  if (limit <= 0) return;
  const unseen = await readUnseen(pass.deps.db, pass.table, span, { seen: within, limit });
  for (const id of unseen) suspect(pass, id);
}

/** @returns whether there was anything to be done. */
async function applyPage(
  pass: Pass,
  records: readonly RemoteRecord[],
  readAt: string,
): Promise<boolean> {
  const { deps, table, counts } = pass;
  if (!appliesAny(table, records, deps.links)) return false;
  const context = await contextOf(deps, table, { records, readAt }, pass.options);
  const applied = await deps.db.transaction(
    async (tx) => {
      const read = await applyRead(tx, table, records, context);
      refuseAll(table, read);
      return read;
    },
    { asWriter: true },
  );
  counts.missing += applied.inserted;
  counts.differed += applied.updated;
  counts.merged += applied.merged;
  counts.linked += applied.linked;
  counts.unlinked += applied.unlinked;
  counts.deferred += applied.deferred;
  counts.setAside += applied.setAside;
  counts.conflicts += applied.conflicts;
  counts.undated += applied.undated;
  return true;
}
