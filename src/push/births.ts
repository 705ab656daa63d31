import type { MirrorTable } from '../db/mirror/table.ts';
import { RemoteError } from '../domain/errors.ts';
import { type Birth, birthByValues, birthOf, type RecordHistory } from '../domain/field-write.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';

/** Histories asked for at once; what is beyond that has to be judged by what it holds. */
const MOST_HISTORIES = 50;
/** Whoever gets no answer has to do without, so nobody waits long for one. */
const PATIENCE_MS = 5_000;
/** Where each field is a request of its own. */
const LONG_PATIENCE_MS = 15_000;

interface Doubted {
  readonly records: readonly RemoteRecord[];
  /** Those that were sent. */
  readonly fields: readonly string[];
}

/** What records were created with, by id, where their history tells. */
export async function readBirths(
  remote: Remote,
  table: MirrorTable,
  { records, fields }: Doubted,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Birth>> {
  const { fieldTimes } = remote.capabilitiesOf(table.object);
  if (fieldTimes === 'none') return new Map();
  const patience = AbortSignal.any([
    signal,
    AbortSignal.timeout(fieldTimes === 'feed' ? PATIENCE_MS : LONG_PATIENCE_MS),
  ]);
  const call = { priority: 'push', signal: patience, timeoutMs: PATIENCE_MS } as const;
  if (fieldTimes === 'values') {
    const first = await readFirst(remote, table, { records, fields }, call);
    signal.throwIfAborted();
    return first;
  }
  const births = await Promise.all(
    records.slice(0, MOST_HISTORIES).map(async (record) => {
      const isEnough = ({ isWhole }: RecordHistory) => isWhole;
      const request = { object: table.schema, id: record.id, isEnough };
      const history = await remote.readHistory?.(request, call).catch((error: unknown) => {
        if (patience.aborted) return null;
        throw error;
      });
      return history == null ? [] : [[record.id, birthOf(record, history)] as const];
    }),
  );
  signal.throwIfAborted();
  return new Map(births.flat());
}

/** What has stood since tells by itself; of what has not its past is asked. */
async function readFirst(
  remote: Remote,
  table: MirrorTable,
  { records, fields }: Doubted,
  call: CallOptions,
): Promise<ReadonlyMap<string, Birth>> {
  const births = await Promise.all(
    records.map(async (record, index) => {
      const birth = birthByValues(record);
      const { savedAt } = record;
      if (birth === null || savedAt == null) return [];
      const open = fields.filter((name) => birth.certain?.has(name) !== true);
      if (index >= MOST_HISTORIES || remote.readFirstValues === undefined) {
        return [[record.id, birth] as const];
      }
      const request = { object: table.schema, id: record.id, savedAt, fields: open };
      const first = await remote.readFirstValues(request, call).catch((error: unknown) => {
        if (call.signal.aborted || error instanceof RemoteError) return null;
        throw error;
      });
      if (first === null) return [[record.id, birth] as const];
      const told: Birth = {
        fields: { ...birth.fields, ...first },
        isTold: true,
        certain: new Set([...(birth.certain ?? []), ...open]),
      };
      return [[record.id, told] as const];
    }),
  );
  return new Map(births.flat());
}
