import type { Config } from '../../src/app/config/config.ts';
import type { Session } from '../../src/app/session.ts';
import { type SyncOutcome, syncOnce } from '../../src/app/sync-once.ts';
import type { EmulatorOptions } from '../../src/emulator/attio/emulator.ts';
import { type AttioWorkspace, openAttio } from './attio.ts';

/** A workspace of Attio with one session, which syncs when it is told to. */
export interface SyncedAttio extends AttioWorkspace {
  readonly session: Session;
  readonly signal: AbortSignal;
  sync(): Promise<SyncOutcome>;
  /** The values of a record, by attribute, as they are in Attio. */
  values(object: string, id: unknown): Values;
  /** As if every row had been written a while ago: one written just now is missed by no list. */
  agedRows(): Promise<void>;
}

export type Values = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

export const nothingLeft = { pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 };

export async function openSyncedAttio(
  options: EmulatorOptions = {},
  more: Partial<Config> = {},
): Promise<SyncedAttio> {
  const workspace = await openAttio(options);
  const session = await workspace.open(more);
  const signal = new AbortController().signal;
  return {
    ...workspace,
    session,
    signal,
    sync: () => syncOnce(session, { signal }),
    values(object, id) {
      const record = workspace.emulator.store.get(object, String(id));
      return (record?.['values'] ?? {}) as Values;
    },
    async agedRows() {
      for (const { qualified } of session.tables) {
        await session.db.transaction(
          (tx) =>
            tx.query(`UPDATE ${qualified} SET _synced_at = _synced_at - interval '5 minutes'`),
          { asWriter: true },
        );
      }
    },
  };
}
