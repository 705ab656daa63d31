import { appliesAny, applyRead } from '../conflicts/apply-read.ts';
import { serverNow } from '../conflicts/clocks.ts';
import { readLinkedPage } from '../conflicts/link-pages.ts';
import {
  contextOf,
  type ReadDeps,
  type ReadOptions,
  refuseAll,
  UNDATED,
} from '../conflicts/read-object.ts';
import type { Sql } from '../db/connection/database.ts';
import { ownViews } from '../db/mirror/links.ts';
import { loadMirror } from '../db/mirror/load.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readBirthsOut } from '../db/outbox/jobs.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { countSeen, forgetSeen, noteMissing } from '../db/position/scan.ts';
import {
  beginSweep,
  isUnproven,
  moveSweep,
  readSyncedSince,
  type Sweep,
} from '../db/position/sweep-state.ts';
import { dropDeadLinks, renameLinks } from '../db/rows/link-rows.ts';
import { dropLostDigests } from '../db/rows/record-digests.ts';
import { wholeReadingOf } from '../domain/capabilities.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { type SweepDue, sweepDue } from '../domain/sweep-plan.ts';
import type { Round, RoundStanding } from './round.ts';
import { roundByCreation } from './round-by-creation.ts';
import { roundByPosition } from './round-by-position.ts';

export interface SweepOptions extends ReadOptions {
  /** Every page is read again within this time. */
  readonly intervalMs: number;
  /** How the sweep of the object stands. */
  readonly standing: Sweep;
  /** All of a round that has begun since then (database time), whatever is due. */
  readonly complete?: { readonly since: string };
}

export interface SweepResult {
  readonly requests: number;
  readonly read: number;
  /** Rows that an incremental pull could not have found: nothing had moved their timestamp. */
  readonly changed: number;
  readonly linked: number;
  readonly unlinked: number;
  /** Of those changed. */
  readonly inserted: number;
  /** Known records came without a date that can be read. */
  readonly undated: boolean;
  readonly isFinished: boolean;
  /** When the round began, database time. */
  readonly startedAt: string | null;
  /** Why the round that ended was not complete; null where it was, or goes on. */
  readonly problem: string | null;
}

/** Links that could not be brought are asked for again at once, but not all the time. */
const URGENT_AGAIN_MS = 300_000;

/**
 * Reads the pages of one object that are due for the rolling sweep, by creation or by positions:
 * what bumps no timestamp, such as links, is found this way, and everything of an object that has
 * no list of changes (invariant 1). Each page is applied in one transaction with the sweep's
 * progress; it may be killed anywhere.
 *
 * @returns null where nothing was due.
 * @throws RemoteError, or SyncError `sweep-moved` where another process sweeps the same object.
 */
export async function sweepObject(
  deps: ReadDeps,
  table: MirrorTable,
  options: SweepOptions,
): Promise<SweepResult | null> {
  const { standing, complete } = options;
  const links = ownViews(deps.links, table.object).map(({ link }) => link.name);
  const due = complete ? roundSince(standing, complete.since) : dueOf(standing, links, options);
  if (due.pages === 0) return null;
  const capabilities = deps.remote.capabilitiesOf(table.object);
  const byPosition = wholeReadingOf(capabilities) === 'position';
  const expected = byPosition && standing.pages > 0 ? standing.pages : null;
  let sweep = due.begin
    ? await beginSweep(deps.db, standing, { links, pages: expected })
    : standing;
  const total = { requests: 0, read: 0, changed: 0, inserted: 0, linked: 0, unlinked: 0 };
  const { watermark } = sweep;
  const clock = { limit: deps.remote.limits.pageSize, startedAtMs: serverNow(deps) };
  const round = byPosition
    ? roundByPosition({ ...clock, stored: sweep.position })
    : roundByCreation({ ...clock, watermark });
  // A group of one timestamp that is larger than what is due is read whole, or never gets done.
  const isStuck = () => !byPosition && sweep.watermark === watermark;
  let lookedAt: string | null = null;
  for (let pages = 0; pages < due.pages || isStuck(); pages += 1) {
    const request = round.next();
    if (request === null || sweep.finishedAt !== null) break;
    options.signal.throwIfAborted();
    const readAt: string = lookedAt ?? (await readDatabaseTime(deps.db));
    const step = await sweepPage(deps, table, { sweep, round, request, readAt }, options);
    ({ sweep, lookedAt } = step);
    total.requests += step.requests;
    total.read += step.read;
    total.changed += step.changed;
    total.inserted += step.inserted;
    options.onPage?.({ read: step.read, total: step.total });
    total.linked += step.linked;
    total.unlinked += step.unlinked;
  }
  const isFinished = sweep.finishedAt !== null;
  const problem = isFinished ? sweep.problem : null;
  const { startedAt } = sweep;
  return { ...total, isFinished, startedAt, undated: problem === UNDATED, problem };
}

/** All of a round that has begun since then. */
function roundSince({ startedAt }: Sweep, since: string): SweepDue {
  const isBegun = startedAt !== null && Date.parse(startedAt) >= Date.parse(since);
  return { begin: !isBegun, pages: Number.POSITIVE_INFINITY };
}

function dueOf(standing: Sweep, links: readonly string[], options: SweepOptions): SweepDue {
  const { intervalMs } = options;
  const { startedAt, finishedAt, pages, totalPages, nowMs } = standing;
  const startedAtMs = startedAt === null ? null : Date.parse(startedAt);
  const finishedAtMs = finishedAt === null ? null : Date.parse(finishedAt);
  const isNew = links.some((name) => !standing.linked.includes(name));
  // A link table that has appeared since the round began is not read from its beginning.
  const isLate = links.some((name) => !standing.roundLinks.includes(name));
  const isTriedLately = finishedAtMs !== null && nowMs - finishedAtMs < URGENT_AGAIN_MS;
  const urgent = isNew && (isLate || !isTriedLately);
  const isUnderWay = startedAtMs !== null && finishedAtMs === null;
  if (urgent && isUnderWay && isLate) return { begin: true, pages: Number.POSITIVE_INFINITY };
  return sweepDue({ startedAtMs, finishedAtMs, pages, totalPages }, { nowMs, intervalMs, urgent });
}

const NOTHING_DONE = { changed: 0, inserted: 0, linked: 0, unlinked: 0 };

async function sweepPage(
  deps: ReadDeps,
  table: MirrorTable,
  at: {
    readonly sweep: Sweep;
    readonly round: Round;
    readonly request: NonNullable<ReturnType<Round['next']>>;
    /** Database time. */
    readonly readAt: string;
  },
  options: SweepOptions,
) {
  const { readAt } = at;
  const { object } = table;
  const { deletions } = deps.remote.capabilitiesOf(object);
  const missingTells = deletions.kind === 'scan';
  const how = { ...options, depth: 'all', recognises: true } as const;
  const page = await readLinkedPage(deps, table, at.request, how);
  const read = at.round.take(page);
  const { records, watermark, left } = read;
  const pages = at.sweep.pages + 1;
  const keepsSeen = missingTells || at.request.orderBy === 'position';
  const ids = records.map(({ id }) => id);
  const shown = { page: pages, pass: read.pass, ids, joined: read.joined };
  const move = (sql: Sql, standing: RoundStanding, undated: string | null) =>
    moveSweep(sql, at.sweep, {
      watermark,
      totalPages: left === null ? null : at.sweep.pages + Math.ceil(left / at.request.limit),
      requests: page.requests,
      records: records.length,
      finished: standing.finished,
      problem: standing.problem ?? linksProblem(deps, table) ?? undated,
      position: standing.position,
      seen: keepsSeen ? shown : null,
    });
  const told = { requests: page.requests, read: records.length, total: page.total };
  // Where a page leaves nothing to be done, that it was read is all there is to be kept.
  const isQuiet = pages > 1 && read.asksCount === 0 && !appliesAny(table, records, deps.links);
  const quiet = isQuiet ? read.conclude([]) : null;
  if (quiet !== null && !quiet.finished) {
    const { db } = deps;
    const query: Sql['query'] = (text, values) => db.repeated(text, values);
    const sweep = await move({ schemas: db.schemas, query }, quiet, null);
    return { ...told, ...NOTHING_DONE, sweep, lookedAt: page.lookedAt };
  }
  const context = await contextOf(deps, table, { records, readAt }, options);
  const applied = await deps.db.transaction(
    async (tx) => {
      const unread = records.flatMap(({ id, isUnchanged }) => (isUnchanged ? [] : [id]));
      // What a pull or a push brought meanwhile is newer than what was read for the sweep.
      const newer = await readSyncedSince(tx, table, unread, readAt);
      const unborn = await underWay(deps, tx, object, records);
      const older = records.filter(({ id }) => !newer.has(id) && !unborn.has(id));
      const counts = await applyRead(tx, table, older, context);
      refuseAll(table, counts);
      if (keepsSeen && pages === 1) await forgetSeen(tx, object);
      const passes = read.asksCount;
      const seen = passes > 0 ? await countSeen(tx, object, { passes, last: shown }) : [];
      const standing = read.conclude(seen);
      const sweep = await move(tx, standing, counts.undated > 0 ? UNDATED : null);
      if (standing.finished) {
        await tidyLinks(deps, tx, table);
        const byCreation = at.request.orderBy === 'created';
        const startedAt = at.sweep.startedAt ?? readAt;
        const isWhole = missingTells && !isUnproven(sweep.problem);
        if (isWhole) await noteMissing(tx, table, { startedAt, byCreation });
        if (keepsSeen) await forgetSeen(tx, object);
        await dropLostDigests(tx, table);
      }
      return { ...counts, sweep };
    },
    { asWriter: true },
  );
  return {
    ...told,
    sweep: applied.sweep,
    // What was written since is no newer than what is read next.
    lookedAt: null,
    changed: applied.inserted + applied.updated,
    inserted: applied.inserted,
    linked: applied.linked,
    unlinked: applied.unlinked,
  };
}

/** Records that a job has made whose change is not settled: they would be there twice. */
async function underWay(
  { remote }: ReadDeps,
  tx: Parameters<typeof readBirthsOut>[0],
  object: string,
  records: readonly RemoteRecord[],
): Promise<ReadonlySet<string>> {
  const { creating, writing } = remote.capabilitiesOf(object);
  if (creating.kind !== 'external-id' || writing.kind !== 'job') return new Set();
  const { field } = creating;
  const externalOf = ({ fields }: RemoteRecord) => {
    const value = fields[field];
    return typeof value === 'string' ? [value] : [];
  };
  const values = records.flatMap(externalOf);
  const births = await readBirthsOut(tx, object, { field, values });
  return new Set(
    records.flatMap((record) =>
      externalOf(record).some((value) => births.has(value)) ? [record.id] : [],
    ),
  );
}

/** Links that the CRM does not list are no reason to begin again. */
function linksProblem(deps: ReadDeps, table: MirrorTable): string | null {
  const refused = deps.linkRefusals.of(table.object);
  return refused.length === 0 ? null : `links-not-listed: ${refused.toSorted().join(', ')}`;
}

/** What was skipped because a user held it, and what an interrupted transaction left. */
async function tidyLinks(
  deps: ReadDeps,
  tx: Parameters<typeof renameLinks>[0],
  table: MirrorTable,
): Promise<void> {
  const links = ownViews(deps.links, table.object).map(({ link }) => link);
  await renameLinks(tx, links, { all: true });
  const { tables } = await loadMirror(tx);
  await dropDeadLinks(tx, links, tables);
}
