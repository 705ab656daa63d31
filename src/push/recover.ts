import { applyRecords } from '../conflicts/apply-records.ts';
import { crmMinusDatabaseMs } from '../conflicts/clocks.ts';
import type { Sql } from '../db/connection/database.ts';
import { holdsLease } from '../db/lease/lease.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readFirstBases } from '../db/outbox/first-bases.ts';
import {
  addFollowUps,
  postponeStranded,
  type StrandedEntry,
  settleEntries,
  takeOverStranded,
} from '../db/outbox/outbox.ts';
import { rebaseOnTwins } from '../db/outbox/twin-bases.ts';
import { type ConflictOfRecord, recordConflicts } from '../db/outbox/unsettled.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { mapIds, readMapped, rewriteReferences } from '../db/rows/identities.ts';
import { SyncError } from '../domain/errors.ts';
import type { Birth } from '../domain/field-write.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Remote } from '../domain/remote.ts';
import { readBirths } from './births.ts';
import { readCandidates, UNCLEAR } from './candidates.ts';
import { setAfterwards } from './confirm-answers.ts';
import type { FollowUp, Settlement } from './outgoing.ts';
import type { PushDeps } from './push-deps.ts';
import { type Candidate, findDoubtful, type Recognition, recognise } from './recognise.ts';
import { supplantedBy } from './supplanted.ts';

/** A write mostly shows within 5 to 15 s; until it has to, its absence proves nothing. */
const SETTLING_MS = 15_000;

/**
 * Finds out what became of creates that may or may not have arrived and that nothing identifies:
 * they are compared, by what was sent, with the records created about then (invariant 4), and
 * where those have changed since, with what their history says they were. One match is adopted;
 * without a match it is sent again; several are parked, and so is one that may be it. One that something identifies gets here where the CRM refuses it now: if it
 * is there the next claim adopts it, else it has never arrived, and may be refused for good.
 *
 * @returns how many milliseconds until the youngest can be judged; null where none is left.
 */
export async function recoverStranded(
  deps: PushDeps,
  table: MirrorTable,
  signal: AbortSignal,
): Promise<number | null> {
  const { db, lease, remote } = deps;
  const epoch = lease.epoch;
  if (epoch === null) return null;
  const stranded = await db.transaction(async (tx) =>
    (await holdsLease(tx, epoch)) ? await takeOver(tx, table, { epoch, remote }) : [],
  );
  const ripe = stranded.filter((entry) => entry.waitMs <= 0);
  const waits = stranded.flatMap(({ waitMs }) => (waitMs > 0 ? [waitMs] : []));
  try {
    if (ripe.length > 0) await judge(deps, table, { epoch, entries: ripe, signal });
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== UNCLEAR) throw error;
    // That it cannot be told yet is their own trouble: all else of the object is sent (invariant 10).
    const ids = ripe.map(({ id }) => id);
    waits.push(await db.transaction((tx) => postponeStranded(tx, epoch, ids)));
  }
  return waits.length === 0 ? null : Math.max(...waits);
}

/** Ends what is in flight of an object although nobody sends it any more, see {@link takeOverStranded}. */
export async function takeOver(
  tx: Sql,
  { object }: MirrorTable,
  { epoch, remote }: { readonly epoch: bigint; readonly remote: Pick<Remote, 'capabilitiesOf'> },
): Promise<readonly StrandedEntry[]> {
  const { lateMs = SETTLING_MS } = remote.capabilitiesOf(object);
  return await takeOverStranded(tx, object, { epoch, settlingMs: lateMs });
}

async function judge(
  deps: PushDeps,
  table: MirrorTable,
  round: {
    readonly epoch: bigint;
    readonly entries: readonly StrandedEntry[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { db, remote, tables, policyOf } = deps;
  const readAt = await readDatabaseTime(db);
  const records = await readCandidates(deps, table, round);
  const known = await toCandidates(db, table, round.entries, { records, births: new Map() });
  const doubtful = findDoubtful(table.schema, round.entries, known);
  const fields = [...new Set(round.entries.flatMap((entry) => Object.keys(entry.fields)))];
  const births = await readBirths(remote, table, { records: doubtful, fields }, round.signal);
  await db.transaction(
    async (tx) => {
      if (!(await holdsLease(tx, round.epoch))) return;
      const candidates = await toCandidates(tx, table, round.entries, { records, births });
      const skewMs = crmMinusDatabaseMs(deps);
      const recognised = recognise(table.schema, round.entries, candidates, skewMs);
      const adopted = recognised.flatMap((one) =>
        one.kind === 'found' ? [{ oldId: one.entry.recordId, record: one.record }] : [],
      );
      const renames = adopted.map(({ oldId, record }) => ({ oldId, id: record.id }));
      await rebaseOnTwins(tx, table, renames);
      await mapIds(tx, table.object, renames, 'pushed');
      await settleEntries(tx, round.epoch, recognised.map(toSettlement));
      await addFollowUps(
        tx,
        table.object,
        recognised.flatMap((one) => toFollowUp(table, one)),
      );
      const lost = recognised.flatMap((one) => toConflicts(table, one, policyOf));
      await recordConflicts(tx, table.object, lost);
      await applyRecords(
        tx,
        table,
        adopted.map(({ record }) => record),
        {
          readAt,
          versions: deps.remote.capabilitiesOf(table.object).versions,
          crmMinusDatabaseMs: skewMs,
          policyOf: (field) => policyOf(table.object, field),
        },
      );
      await rewriteReferences(tx, tables);
    },
    { asWriter: true },
  );
}

/** Those of the records that may be what was sent: no create from here has become them. */
async function toCandidates(
  sql: Sql,
  table: MirrorTable,
  entries: readonly StrandedEntry[],
  read: {
    readonly records: readonly RemoteRecord[];
    readonly births: ReadonlyMap<string, Birth>;
  },
): Promise<readonly Candidate[]> {
  const ids = read.records.map(({ id }) => id);
  const mapped = await readMapped(sql, table.object, ids);
  const free = read.records.filter(({ id }) => !mapped.has(id));
  const before = await readFirstBases(sql, table.object, {
    ids: free.map(({ id }) => id),
    after: entries.map(({ id }) => id),
  });
  return free.map((record) => {
    const { id } = record;
    return { record, before: before.get(id) ?? {}, birth: read.births.get(id) ?? null };
  });
}

/** What could not be said with a create that has been found. */
function toFollowUp({ schema }: MirrorTable, one: Recognition): readonly FollowUp[] {
  if (one.kind !== 'found') return [];
  const { id, recordId, afterwards } = one.entry;
  const changes = setAfterwards(schema, afterwards ?? {}, one.record);
  return Object.keys(changes).length === 0 ? [] : [{ recordId, changes, blockedBy: id, of: id }];
}

/** Edited in the CRM before it was known to have arrived: what it was sent with is not what stands. */
function toConflicts(
  { object }: MirrorTable,
  one: Recognition,
  policyOf: PushDeps['policyOf'],
): readonly ConflictOfRecord[] {
  if (one.kind !== 'found') return [];
  const { entry, record, supplanted = {} } = one;
  const lost = { recordId: record.id, remoteBy: record.updatedBy, local: entry.fields };
  return supplantedBy({ ...lost, supplanted, baseOf: () => null }, (field) =>
    policyOf(object, field),
  );
}

function toSettlement(one: Recognition): Settlement {
  const ids = [one.entry.id];
  switch (one.kind) {
    case 'found':
      return { ids, outcome: { state: 'done' } };
    case 'identified':
      return { ids, outcome: { state: 'pending', reason: null, retryInMs: 0 } };
    case 'missing':
      return { ids, outcome: { state: 'pending', reason: null, retryInMs: 0, neverArrived: true } };
    case 'ambiguous':
      return { ids, outcome: { state: 'parked', reason: one.reason } };
  }
}
