import { holdsLease } from '../db/lease/lease.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import {
  lookAgain,
  type OutJob,
  type OutRecord,
  readOut,
  takeOverJobs,
} from '../db/outbox/jobs.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { readGone } from '../db/rows/departures.ts';
import type { Writing } from '../domain/capabilities.ts';
import { coalesce } from '../domain/coalesce.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { JobState, RemoteJobs } from '../domain/remote.ts';
import { deleted, judgeByRecord, movedOn } from './judge-job.ts';
import { settleOutLinks } from './out-links.ts';
import type { Outgoing } from './outgoing.ts';
import type { PushCounts, PushDeps } from './push-deps.ts';
import { createReport } from './report.ts';
import type { Sent } from './sent.ts';
import { FULL_BATCH_ATTEMPTS } from './writing/batches.ts';

type JobWriting = Extract<Writing, { kind: 'job' }>;

/** What was handed over may have been on its way for so long after it was given up. */
const ON_ITS_WAY_MS = 15_000;
const LONGEST_PAUSE_MS = 600_000;

export interface JobsResult {
  /** Until the next job is to be looked at; null where none is out. */
  readonly waitMs: number | null;
  readonly counts: readonly PushCounts[];
}

interface Round {
  readonly epoch: bigint;
  readonly writing: JobWriting;
  readonly jobs: RemoteJobs;
  readonly signal: AbortSignal;
}

/**
 * Finds out what became of what went out in jobs, whoever handed them over: asks by their tickets,
 * late and ever less often, reads back what they held once they have ended, and settles each change
 * by what its record shows. Never sends anything.
 *
 * @throws RemoteError where a job cannot be asked about, or nothing be read back.
 */
export async function settleJobs(
  deps: PushDeps,
  table: MirrorTable,
  signal: AbortSignal,
): Promise<JobsResult> {
  const { remote, lease, db } = deps;
  const { epoch } = lease;
  const { writing } = remote.capabilitiesOf(table.object);
  const { jobs } = remote;
  if (epoch === null || writing.kind !== 'job' || jobs === undefined) {
    return { waitMs: null, counts: [] };
  }
  const out = await db.transaction(async (tx) =>
    (await holdsLease(tx, epoch)) ? await takeOverJobs(tx, table.object, epoch) : [],
  );
  const counts: PushCounts[] = [];
  const waits: number[] = [];
  for (const job of out) {
    if (job.waitMs > 0) {
      waits.push(job.waitMs);
      continue;
    }
    const seen = await look(deps, table, { epoch, writing, jobs, signal }, job);
    if (seen.waitMs !== null) waits.push(seen.waitMs);
    counts.push(...seen.counts);
  }
  return { waitMs: waits.length === 0 ? null : Math.min(...waits), counts };
}

async function look(
  deps: PushDeps,
  table: MirrorTable,
  round: Round,
  job: OutJob,
): Promise<JobsResult> {
  const { object } = table;
  const { epoch, writing, signal } = round;
  const { ticket } = job;
  const state = job.ended ?? (await stateOf(table, round, job));
  if (state === 'open') {
    const inMs = Math.min(LONGEST_PAUSE_MS, Math.max(writing.firstPollMs, job.ageMs / 2));
    await lookAgain(deps.db, { object, ticket, epoch }, { inMs });
    return { waitMs: inMs, counts: [] };
  }
  const readAt = await readDatabaseTime(deps.db);
  const out = await readOut(deps.db, object, ticket);
  const again = async () => {
    const growing = job.ended === null ? 0 : Math.min(LONGEST_PAUSE_MS, job.ageMs / 2);
    const inMs = Math.max(writing.settleMs, growing);
    await lookAgain(deps.db, { object, ticket, epoch }, { inMs, ended: state });
    return inMs;
  };
  const how = {
    outcome: state,
    isFinal: job.ended !== null,
    // A list that never holds still is not waited for any longer.
    believesAll: job.ageMs >= writing.longestMs,
    gone: await readGone(deps.db, object, idsOf(out)),
    mostAttempts:
      FULL_BATCH_ATTEMPTS + Math.ceil(Math.log2(deps.remote.limits.batchSizeOf(object))) + 1,
  };
  if (out.some(({ content }) => content.kind === 'links')) {
    const { waits, counts } = await settleOutLinks(deps, table, { ...round, ...how, readAt }, out);
    return { waitMs: waits ? await again() : null, counts: [counts] };
  }
  const changes = out.flatMap(toOutgoing);
  const { shown, isWhole } = await readBack(table, round, changes);
  const end = {
    ...how,
    clearings: writing.clearings,
    title: deps.remote.title,
  };
  const moved = new Set(idsOf(out.filter(isMoved)));
  const results = changes.flatMap((change): readonly Sent[] => {
    if (moved.has(change.recordId)) return [movedOn(table.schema, change)];
    const record = shown(change);
    const isGone = record === null && how.gone.has(change.recordId);
    if (isGone && change.kind === 'update') return [deleted(table.schema, change)];
    if (record === null && !isGone && !isWhole && !how.believesAll) return [];
    const sent = judgeByRecord(table.schema, change, record, end);
    return sent === null ? [] : [sent];
  });
  const { report, counts } = createReport(deps, table, { epoch, readAt, signal });
  if (results.length > 0) await report(results);
  const isSettled = results.length === changes.length;
  return { waitMs: isSettled ? null : await again(), counts: [counts] };
}

/** Of one whose ticket got lost nobody can ask: it has ended where no job is open, or after long. */
async function stateOf(
  { schema }: MirrorTable,
  { jobs, writing, signal }: Round,
  { ticket, isLost, ageMs }: OutJob,
): Promise<JobState> {
  const call = { priority: 'push', signal } as const;
  if (!isLost) return await jobs.poll({ object: schema, ticket }, call);
  if (ageMs < ON_ITS_WAY_MS) return 'open';
  if (ageMs >= writing.longestMs) return 'failed';
  if (jobs.isIdle === undefined) return 'open';
  return (await jobs.isIdle({ object: schema }, call)) ? 'failed' : 'open';
}

async function readBack(
  { schema }: MirrorTable,
  { jobs, signal }: Round,
  changes: readonly Outgoing[],
): Promise<{
  /** Null for one that is not shown. */
  readonly shown: (change: Outgoing) => RemoteRecord | null;
  readonly isWhole: boolean;
}> {
  const external = (change: Outgoing) => {
    const value = change.matchOn === null ? null : change.fields[change.matchOn];
    return typeof value === 'string' ? value : null;
  };
  const ids = changes.flatMap(({ kind, recordId }) => (kind === 'create' ? [] : [recordId]));
  const externalIds = changes.flatMap((change) => external(change) ?? []);
  const request = { object: schema, ids, externalIds };
  const { records, isWhole } = await jobs.readBack(request, { priority: 'push', signal });
  const byId = new Map(records.map((record) => [record.id, record]));
  const shown = (change: Outgoing) => {
    if (change.kind !== 'create') return byId.get(change.recordId) ?? null;
    const { matchOn } = change;
    const own = external(change);
    if (matchOn === null || own === null) return null;
    return records.find(({ fields }) => fields[matchOn] === own) ?? null;
  };
  return { shown, isWhole };
}

function idsOf(out: readonly OutRecord[]): string[] {
  return out.map(({ recordId }) => recordId);
}

/** Its record was merged into another since it went out. */
function isMoved({ recordId, content }: OutRecord): boolean {
  return content.kind !== 'create' && content.id !== recordId;
}

function toOutgoing({ recordId, entries, content, attempts }: OutRecord): readonly Outgoing[] {
  if (content.kind === 'links') return [];
  const { kind, fields, matchOn = null } = content;
  const change: Outgoing = {
    kind,
    recordId,
    entries: entries.map(({ id }) => id),
    fields,
    changes: coalesce(entries, kind !== 'create').changes,
    identity: null,
    matchOn,
    attempts,
    // Whether it did is what its record shows.
    mayHaveArrived: false,
  };
  return [change];
}
