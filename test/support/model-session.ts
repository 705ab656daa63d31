import pg from 'pg';
import { afterEach } from 'vitest';
import { type Config, loadConfig } from '../../src/app/config/config.ts';
import { createLog } from '../../src/app/log.ts';
import { openSession, type Session } from '../../src/app/session.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import type { Capabilities } from '../../src/domain/capabilities.ts';
import { createTestDatabase } from './database.ts';
import { ModelCrm, type ModelOptions } from './model-remote.ts';
import { asWritten } from './schemas.ts';

export const PLAIN: Capabilities = {
  changes: { kind: 'ordered-filter' },
  versions: 'stamped',
  deletions: { kind: 'scan', proof: 'read' },
  writing: { kind: 'bulk' },
  creating: { kind: 'created-since' },
  fieldTimes: 'none',
  removal: 'delete',
};

/** A session with a CRM in memory, and a user of its warehouse. */
export interface Model {
  readonly crm: ModelCrm;
  readonly session: Session;
  readonly signal: AbortSignal;
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** As if what stands had been written a while ago. */
  age(): Promise<void>;
  sync(): ReturnType<typeof syncOnce>;
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** What it opens ends after the test. */
export async function openModel(options: ModelOptions): Promise<Model> {
  const crm = new ModelCrm(options);
  const database = await createTestDatabase();
  stops.push(() => database.drop());
  const base = await loadConfig({
    env: {
      CLARIFY_API_KEY: 'key',
      CLARIFY_WORKSPACE: 'model',
      DATABASE_URL: database.url,
      CLARIFY_SYNC_PUSH: 'on',
      CLARIFY_SYNC_HTTP: 'off',
    },
  });
  const config: Config = { ...base, crm: { ...base.crm, open: async () => crm.open() } };
  const signal = new AbortController().signal;
  const session = await openSession(config, { log: createLog({ level: 'silent' }), signal });
  stops.push(() => session.stop());
  const user = new pg.Client({ connectionString: database.url });
  await user.connect();
  stops.push(() => user.end());
  const [table] = session.tables;
  if (table === undefined) throw new Error('no table');
  return {
    crm,
    session,
    signal,
    sql: async (text) => (await user.query(asWritten(text))).rows,
    age: () =>
      session.db.transaction(
        async (tx) => {
          await tx.query(
            `UPDATE ${table.qualified} SET _synced_at = _synced_at - interval '5 minutes'`,
          );
        },
        { asWriter: true },
      ),
    sync: () => syncOnce(session, { signal }),
  };
}
