import { readFields } from '../db/outbox/adoption.ts';
import type { JobContent } from '../db/outbox/jobs.ts';
import { settleEntries } from '../db/outbox/outbox.ts';
import { RemoteError } from '../domain/errors.ts';
import type { CallOptions, JobRecord } from '../domain/remote.ts';
import { beginCarrying, holdTicket } from './job-ledger.ts';
import { claimLinkChanges, type OutgoingLinks, putOff } from './link-claim.ts';
import { type LinkRound, settleLinksAgain } from './link-report.ts';
import type { PushCounts, PushDeps } from './push-deps.ts';
import { delayedAbort, WRITE_TIMEOUT_MS } from './push-object.ts';
import { chunk } from './writing/batches.ts';
import { notStarted } from './writing/call.ts';
import { endsAll } from './writing/job.ts';

/** What came of a job that was not taken, or nobody knows whether it was. */
type Fate = 'failed' | 'refused';

/**
 * Claims what is due of one field's links and hands it over in jobs, as changes of records are: what
 * came of it is found out later, and nothing is handed over twice. @returns null where nothing was
 * due.
 *
 * @throws SyncError `lease-lost` where this process no longer leads; errors of the CRM that are about no
 * record.
 */
export async function handOverLinks(
  deps: PushDeps,
  about: Omit<LinkRound, 'readAt'>,
  signal: AbortSignal,
): Promise<PushCounts | null> {
  const { lease, remote, db } = deps;
  const { view, table, epoch } = about;
  const { jobs, limits } = remote;
  if (jobs === undefined) throw new Error(`${table.object} is written by jobs, and there are none`);
  const most = limits.batchSizeOf(table.object);
  const claim = { epoch, mostRecords: most };
  const claimed = await claimLinkChanges(db, view, claim);
  if (claimed === null) return null;
  const round: LinkRound = { ...about, readAt: claimed.readAt };
  const counts = { delivered: 0, refused: 0, gone: 0, failed: 0, unclear: 0 };
  const end = async (batch: readonly OutgoingLinks[], kind: Fate, error: RemoteError) => {
    const sent = batch.map((outgoing) => {
      const results = outgoing.changes.map((change) => ({ kind, change, error }));
      return { outgoing, results, set: null, mapped: new Set<string>() };
    });
    await settleLinksAgain(deps, round, sent);
    counts[kind] += sent.flatMap(({ results }) => results).length;
  };
  const inFlight = delayedAbort(signal, WRITE_TIMEOUT_MS);
  const mayStart = () =>
    !signal.aborted && lease.epoch === epoch && lease.remainingMs() > WRITE_TIMEOUT_MS;
  const call: CallOptions = {
    priority: 'push',
    signal: inFlight.signal,
    timeoutMs: WRITE_TIMEOUT_MS,
    beforeAttempt: () => {
      if (!mayStart()) throw notStarted();
    },
  };
  try {
    const queue = [...chunk(await withinJob(deps, epoch, claimed.outgoing), most)];
    for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
      if (!mayStart()) {
        await end(batch, 'failed', notStarted());
        continue;
      }
      const ids = batch.map(({ recordId }) => recordId);
      const known = await readFields(db, table, ids);
      const records = batch.map((one) => toRecord(round, one, known.get(one.recordId)));
      const place = await beginCarrying(
        deps,
        { object: table.object, epoch },
        batch.map((one) => carried(round, one)),
      );
      let ticket: string;
      try {
        ticket = await jobs.submit({ object: table.schema, kind: 'write', records }, call);
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error;
        // It may be under way: what it does is seen when it is read back.
        if (error.ambiguous) continue;
        if (endsAll(error)) {
          await end(batch, 'failed', error);
          throw error;
        }
        if (error.disposition === 'park' && batch.length > 1) {
          queue.unshift(...chunk(batch, Math.ceil(batch.length / 2)));
          continue;
        }
        await end(batch, error.disposition === 'park' ? 'refused' : 'failed', error);
        continue;
      }
      await holdTicket(db, table.object, { place, ticket });
    }
  } finally {
    inFlight.release();
  }
  return counts;
}

/** What one job may not hold of a record waits for the next one. */
async function withinJob(
  { db, remote }: Pick<PushDeps, 'db' | 'remote'>,
  epoch: bigint,
  outgoing: readonly OutgoingLinks[],
): Promise<readonly OutgoingLinks[]> {
  const { jobLinks = Number.POSITIVE_INFINITY } = remote.limits;
  const rest = outgoing.flatMap(({ changes }) => changes.slice(jobLinks));
  if (rest.length === 0) return outgoing;
  const later = { state: 'pending', reason: null, retryInMs: 0 } as const;
  await db.transaction((tx) =>
    settleEntries(
      tx,
      epoch,
      rest.map((change) => putOff(change, later)),
    ),
  );
  return outgoing.map((one) => ({ ...one, changes: one.changes.slice(0, jobLinks) }));
}

function toRecord(
  { view }: Pick<LinkRound, 'view'>,
  { recordId, changes, attempts }: OutgoingLinks,
  known: ReadonlyMap<string, JobRecord['fields'][string]> | undefined,
): JobRecord {
  const idsOf = (kind: 'link' | 'unlink') =>
    changes.flatMap((change) => (change.kind === kind ? [change.other] : []));
  const { here, there } = view;
  const links = { field: here.field, target: there.object };
  return {
    id: recordId,
    fields: {},
    attempt: attempts,
    known: Object.fromEntries(known ?? []),
    links: [{ ...links, linked: idsOf('link'), unlinked: idsOf('unlink') }],
  };
}

function carried(
  { view }: Pick<LinkRound, 'view'>,
  { recordId, changes }: OutgoingLinks,
): { readonly ids: readonly bigint[]; readonly content: JobContent } {
  const content: JobContent = {
    kind: 'links',
    id: recordId,
    field: view.here.field,
    links: changes.map(({ entry, earlier, kind, other }) => {
      return { entry: String(entry), earlier: earlier.map(String), kind, other };
    }),
  };
  return { ids: changes.flatMap(({ entry, earlier }) => [...earlier, entry]), content };
}
