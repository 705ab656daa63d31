import type { Sql } from '../db/connection/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { hasUnsettled, readUnsettled } from '../db/outbox/unsettled.ts';
import { RemoteError } from '../domain/errors.ts';
import { type RecordHistory, writeOf } from '../domain/field-write.ts';
import type { ConflictPolicy } from '../domain/merge-fields.ts';
import { mergeRecord, type PendingEntry } from '../domain/merge-record.ts';
import type { RemoteRecord, WrittenBy } from '../domain/record.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';

/** Who wrote a field in the CRM when, by record and field, where that could be found out. */
export type RemoteWrites = ReadonlyMap<string, ReadonlyMap<string, WrittenBy>>;

export interface RemoteWritesDeps {
  readonly db: Sql;
  readonly remote: Remote;
  readonly policyOf: (object: string, field: string) => ConflictPolicy;
}

/** Histories asked for at once; what conflicts beyond that is judged by its record's time. */
const MOST_HISTORIES = 200;
/** Nothing depends on the answers, so nobody waits long for them. */
const PATIENCE_MS = 5_000;

const NONE: RemoteWrites = new Map();

/**
 * Asks for the history of records that are about to conflict, before the transaction that decides
 * (invariant 5). Costs no request where nothing conflicts, and a statement where
 * nothing waits in the outbox.
 */
export async function readRemoteWrites(
  deps: RemoteWritesDeps,
  table: MirrorTable,
  records: readonly RemoteRecord[],
  options: CallOptions & {
    /** They are answers to writes: with what is in flight of them they agree. */
    readonly isAnswer?: boolean;
  },
): Promise<RemoteWrites> {
  const { fieldTimes } = deps.remote.capabilitiesOf(table.object);
  if (fieldTimes === 'none') return NONE;
  // Values that tell bring it along; one that is gone does not.
  const isEmptied = fieldTimes === 'values';
  if (isEmptied && deps.remote.readClearings === undefined) return NONE;
  if (records.length === 0 || !(await hasUnsettled(deps.db, table.object))) return NONE;
  const disputed = await findDisputed(deps, table, records, options);
  if (disputed.length === 0) return NONE;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const call = { priority: options.priority, signal, timeoutMs: PATIENCE_MS };
  if (isEmptied) return await readEmptied(deps.remote, table, disputed, call);
  const found = await Promise.all(
    disputed.slice(0, MOST_HISTORIES).map(async ({ record, fields }) => {
      const versionMs = versionOf(record) ?? Number.POSITIVE_INFINITY;
      const isEnough = ({ writes }: RecordHistory) =>
        fields.every((name) => writes.some((w) => w.field === name && w.atMs <= versionMs));
      const request = { object: table.schema, id: record.id, isEnough };
      const history = await deps.remote.readHistory?.(request, call).catch((error: unknown) => {
        if (signal.aborted) return null;
        throw error;
      });
      return [record.id, writesOf(table, { record, fields }, history ?? null)] as const;
    }),
  );
  return new Map(found);
}

/** When disputed fields that are empty were emptied. */
async function readEmptied(
  remote: Remote,
  table: MirrorTable,
  disputed: readonly Disputed[],
  call: CallOptions,
): Promise<RemoteWrites> {
  const emptied = disputed.flatMap(({ record, fields }) => {
    const untold = fields.filter((name) => record.fields[name] === null);
    return untold.length === 0 ? [] : [{ id: record.id, fields: untold }];
  });
  const found = await Promise.all(
    emptied.slice(0, MOST_HISTORIES).map(async (one) => {
      const request = { object: table.schema, ...one };
      const told = await remote.readClearings?.(request, call).catch((error: unknown) => {
        if (call.signal.aborted || error instanceof RemoteError) return null;
        throw error;
      });
      return [one.id, told ?? new Map<string, WrittenBy>()] as const;
    }),
  );
  return new Map(found);
}

function writesOf(
  table: MirrorTable,
  { record, fields }: Disputed,
  history: RecordHistory | null,
): ReadonlyMap<string, WrittenBy> {
  const versionMs = versionOf(record);
  const writes = fields.flatMap((name) => {
    const field = table.byField.get(name)?.field;
    const read = { value: record.fields[name] ?? null, versionMs };
    const write = field && history && writeOf(field, read, history);
    return write ? [[name, write] as const] : [];
  });
  return new Map(writes);
}

function versionOf({ updatedAt }: RemoteRecord): number | null {
  return updatedAt === null ? null : Date.parse(updatedAt);
}

interface Disputed {
  readonly record: RemoteRecord;
  readonly fields: readonly string[];
}

/** Fields that both sides changed: their authors are wanted too where no time decides. */
async function findDisputed(
  { db, policyOf }: RemoteWritesDeps,
  table: MirrorTable,
  records: readonly RemoteRecord[],
  { isAnswer = false }: { readonly isAnswer?: boolean },
): Promise<readonly Disputed[]> {
  const unsettled = await readUnsettled(
    db,
    table.object,
    records.map(({ id }) => id),
    { inFlight: !isAnswer },
  );
  const fields = new Map(table.schema.fields.map((field) => [field.name, field]));
  const context = { fields, policyOf: (name: string) => policyOf(table.object, name) };
  const disputedBy = (record: RemoteRecord, entries: readonly PendingEntry[]) =>
    mergeRecord(record, entries, context).conflicts.map(({ field }) => field);
  return records.flatMap((record) => {
    const entries = unsettled.get(record.id) ?? [];
    const disputed = entries.length === 0 ? [] : disputedBy(record, entries);
    return disputed.length > 0 ? [{ record, fields: disputed }] : [];
  });
}
