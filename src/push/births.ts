import type { MirrorTable } from '../db/mirror/table.ts';
import { type Birth, birthOf, type RecordHistory } from '../domain/field-write.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Remote } from '../domain/remote.ts';

/** Histories asked for at once; what is beyond that has to be judged by what it holds. */
const MOST_HISTORIES = 50;
/** Whoever gets no answer has to do without, so nobody waits long for one. */
const PATIENCE_MS = 5_000;

/** What records were created with, by id, where their history tells. */
export async function readBirths(
  remote: Remote,
  table: MirrorTable,
  records: readonly RemoteRecord[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Birth>> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const call = { priority: 'push', signal: patience, timeoutMs: PATIENCE_MS } as const;
  const births = await Promise.all(
    records.slice(0, MOST_HISTORIES).map(async (record) => {
      const isEnough = ({ isWhole }: RecordHistory) => isWhole;
      const request = { object: table.schema, id: record.id, isEnough };
      const history = await remote.readHistory(request, call).catch((error: unknown) => {
        if (patience.aborted) return null;
        throw error;
      });
      return history === null ? [] : [[record.id, birthOf(record, history)] as const];
    }),
  );
  signal.throwIfAborted();
  return new Map(births.flat());
}
