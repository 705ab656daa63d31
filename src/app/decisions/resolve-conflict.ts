import { applyRecords } from '../../conflicts/apply-records.ts';
import { crmMinusDatabaseMs } from '../../conflicts/clocks.ts';
import type { Transaction } from '../../db/connection/database.ts';
import type { MirrorColumn, MirrorTable } from '../../db/mirror/table.ts';
import {
  closeConflict,
  lockHeld,
  readCurrentId,
  releaseEntry,
} from '../../db/outbox/conflict-decision.ts';
import { type ConflictEntry, readConflict } from '../../db/outbox/conflict-review.ts';
import { readUnsettled, rewriteEntries } from '../../db/outbox/unsettled.ts';
import { readDatabaseTime } from '../../db/position/cursor.ts';
import { writeFields } from '../../db/reconcile/rows.ts';
import { moveEntries } from '../../db/rows/identities.ts';
import { lockRows, readVersions } from '../../db/rows/mirror-rows.ts';
import { decideField, type FieldVerdict } from '../../domain/decide-field.ts';
import { sameValue } from '../../domain/equal.ts';
import { SyncError, UsageError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { Session } from '../session.ts';
import { parseFieldValue } from './field-value.ts';
import { rowHeld, rowRefused } from './row-held.ts';

export interface Decision {
  readonly conflict: bigint;
  /** A side, or a value of neither as it was typed: see `parseFieldValue`. */
  readonly take: 'local' | 'remote' | { readonly value: string };
  /** Who decided, for the log of conflicts. */
  readonly by: string;
}

/**
 * Settles an open conflict as a person wants it, in one transaction with what follows from it: the
 * record is read anew, what is to be sent is measured against that, and the row shows what was
 * decided. A value of neither side ends as `merged`. An edit of the field that came after those
 * in the conflict stands.
 *
 * @returns what came of it, in a few words.
 * @throws UsageError where it is not open or the value is none of the field's; SyncError
 *   `row-held`, `conflict-record-gone`.
 */
export async function resolveConflict(
  session: Session,
  decision: Decision,
  signal: AbortSignal,
): Promise<string> {
  const conflict = open(decision.conflict, await readConflict(session.db, decision.conflict));
  const { object, field } = conflict;
  const table = session.tables.find((each) => each.object === object);
  if (table === undefined) throw new UsageError([`${object} is no longer mirrored`]);
  const column = table.byField.get(field) ?? null;
  const wanted = wantedBy(session.remote.title, decision.take, { table, field, column });
  const recordId = await readCurrentId(session.db, object, conflict.recordId);
  const readAt = await readDatabaseTime(session.db);
  const request = { object: table.schema, id: recordId };
  const record = await session.remote.readRecord(request, { priority: 'push', signal });
  if (record === null && wanted.take !== 'remote') {
    throw recordGone(session.remote.title, object, recordId);
  }
  const read = { recordId, record, readAt };
  return await session.db.transaction(
    (tx) => settle(tx, { session, table, column, field, decision, wanted, ...read }),
    { asWriter: true },
  );
}

interface Settling {
  readonly session: Session;
  readonly table: MirrorTable;
  readonly column: MirrorColumn | null;
  readonly field: string;
  readonly decision: Decision;
  readonly wanted: FieldVerdict;
  readonly recordId: string;
  /** Null where the CRM has it no more. */
  readonly record: RemoteRecord | null;
  /** Database time from before it was read. */
  readonly readAt: string;
}

/** Locks the row, the entries and the conflict, in the order in which everybody does. */
async function settle(tx: Transaction, settling: Settling): Promise<string> {
  const { session, table, column, field, recordId, record, readAt } = settling;
  const { object } = table;
  const { conflict: id, by } = settling.decision;
  const versions = await readVersions(tx, table, [recordId]);
  const locked = await lockRows(tx, table, [recordId]);
  if (versions.has(recordId) && !locked.has(recordId)) throw rowHeld(object, recordId);
  await moveEntries(tx, object, [recordId]);
  const held = await lockHeld(tx, { object, recordId, field });
  const conflict = open(id, await readConflict(tx, id, true));
  const waiting = (await readUnsettled(tx, object, [recordId])).get(recordId) ?? [];
  const remote = remoteValue(conflict, record, versions.get(recordId) ?? null);
  const verdict = judge(settling.wanted, { conflict, remote, column });
  const decided = decideField(field, waiting, { held, verdict, remote });
  if (decided.released === null && verdict.take !== 'remote') throw nothingWaits(id);

  await rewriteEntries(tx, object, decided.entries);
  if (decided.released !== null) await releaseEntry(tx, decided.released);
  await closeConflict(tx, id, { resolution: RESOLUTION[verdict.take], by });
  const shown =
    verdict.take === 'remote' ? remote : verdict.take === 'value' ? verdict.value : null;
  if (verdict.take !== 'local' && !decided.newerEdit) {
    const row = { id: recordId, fields: new Map([[field, shown]]) };
    const trouble = (await writeFields(tx, table, [row])).get(recordId);
    if (trouble !== undefined) throw rowRefused(object, recordId, trouble);
  }
  if (record === null) return 'record is gone';
  const { deferred } = await applyRecords(tx, table, [record], {
    readAt,
    versions: session.remote.capabilitiesOf(object).versions,
    crmMinusDatabaseMs: crmMinusDatabaseMs(session),
    policyOf: (name) => session.policyOf(object, name),
  });
  if (deferred > 0) throw rowHeld(object, recordId);
  if (decided.newerEdit) return 'settled; a newer local edit of the field stands';
  return SAID[verdict.take];
}

const RESOLUTION = { local: 'local', remote: 'remote', value: 'merged' } as const;
const SAID = {
  local: 'the local value is due to be sent',
  remote: 'remote value restored',
  value: 'the value given is due to be sent',
} as const;

function wantedBy(
  title: string,
  take: Decision['take'],
  { table, field, column }: { table: MirrorTable; field: string; column: MirrorColumn | null },
): FieldVerdict {
  if (take === 'remote') return { take };
  if (column === null) {
    throw new UsageError(
      [`${title} has no field ${field} of ${table.object} any more`],
      'take remote closes the conflict',
    );
  }
  if (take === 'local') return { take };
  if (table.schema.readOnly !== null) {
    throw new UsageError([`${table.object} is not written here: ${table.schema.readOnly}`]);
  }
  return { take: 'value', value: parseFieldValue(column, take.value) };
}

/** A value that one side has already is that side's. */
function judge(
  wanted: FieldVerdict,
  meant: { conflict: ConflictEntry; remote: Json; column: MirrorColumn | null },
): FieldVerdict {
  if (wanted.take !== 'value' || meant.column === null) return wanted;
  const { field } = meant.column;
  if (sameValue(field, wanted.value, meant.remote)) return { take: 'remote' };
  return sameValue(field, wanted.value, meant.conflict.local) ? { take: 'local' } : wanted;
}

/**
 * What the CRM holds: as just read, or as the conflict has it where the row holds a version that
 * is newer still, or the answer lacks the field.
 */
function remoteValue(
  { field, remote }: ConflictEntry,
  record: RemoteRecord | null,
  rowVersion: string | null,
): Json {
  if (record === null || (rowVersion !== null && rowVersion > (record.updatedAt ?? ''))) {
    return remote;
  }
  return Object.hasOwn(record.fields, field) ? (record.fields[field] ?? null) : remote;
}

function open(id: bigint, conflict: ConflictEntry | null): ConflictEntry {
  if (conflict === null) {
    throw new UsageError([`there is no conflict ${id}`], 'see `clarify-sync conflicts list --all`');
  }
  if (conflict.resolution === 'open') return conflict;
  throw new UsageError(
    [`conflict ${id} is settled already: ${conflict.resolution}`],
    `see \`clarify-sync conflicts show ${id}\`; to change the value, write the row`,
  );
}

function nothingWaits(id: bigint): UsageError {
  return new UsageError(
    [`nothing waits for conflict ${id} any more`],
    'take remote closes it; to change the value, write the row again',
  );
}

function recordGone(title: string, object: string, recordId: string): SyncError {
  return new SyncError(`${object} ${recordId} is gone in ${title}, so nothing can be sent to it`, {
    code: 'conflict-record-gone',
    disposition: 'park',
    hint: 'take remote closes the conflict',
  });
}
