import pg from 'pg';
import { loadConfig } from '../../src/app/config/config.ts';
import { createLog } from '../../src/app/log.ts';
import { openSession, type Session } from '../../src/app/session.ts';
import {
  type BrevoEmulator,
  type EmulatorOptions,
  startBrevo,
} from '../../src/emulator/brevo/emulator.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

export const DECLARED = `
objects:
  vehicle:
    fields:
      plate: text
      seats: number
      price: { type: number, conflicts: remote }
      electric: boolean
      registered_at: date
      colour: text
      features: texts
    links: { owner: contacts, seller: companies }
  trip:
    fields: { name: text }
    links: { car: vehicle }
`;

/** Budgets that no test spends. */
export const GENEROUS = { contactsPerSecond: 0, contactsPerHour: 0, othersPerHour: 0 } as const;

export interface BrevoFixture {
  readonly emulator: BrevoEmulator;
  readonly database: TestDatabase;
  readonly user: pg.Client;
  readonly env: Readonly<Record<string, string>>;
  session: Session;
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** As if every row had been written a while ago: one written just now is missed by no list. */
  agedRows(): Promise<void>;
  /** As if nothing that waits for a time had to wait any more. */
  dueNow(): Promise<void>;
  /** Another process in the place of the one there was. */
  reopen(): Promise<void>;
  stop(): Promise<void>;
}

/** An account of Brevo's emulator, and a session that mirrors it. */
export async function openBrevo(
  options: EmulatorOptions,
  { yaml = DECLARED, env: more = {} }: { yaml?: string; env?: Record<string, string> } = {},
): Promise<BrevoFixture> {
  const switches = { ...GENEROUS, ...options.switches };
  const emulator = await startBrevo({ ...options, switches });
  const database = await createTestDatabase();
  const env = {
    CLARIFY_SYNC_CRM: 'brevo',
    BREVO_API_KEY: emulator.apiKey,
    BREVO_API_URL: emulator.url,
    DATABASE_URL: database.url,
    CLARIFY_SYNC_PUSH: 'on',
    CLARIFY_SYNC_HTTP: 'off',
    CLARIFY_SYNC_CONFIG: 'brevo.yaml',
    ...more,
  };
  const signal = new AbortController().signal;
  const open = async () => {
    const config = await loadConfig({ env, readText: async () => yaml });
    return await openSession(config, { log: createLog({ level: 'silent' }), signal });
  };
  const session = await open();
  const user = new pg.Client({
    connectionString: database.url,
    options: '-c idle_session_timeout=0',
  });
  await user.connect();
  const fixture: BrevoFixture = {
    emulator,
    database,
    user,
    env,
    session,
    sql: async (text, values = []) => (await user.query(text, values)).rows,
    async agedRows() {
      for (const { qualified } of fixture.session.tables) {
        await fixture.session.db.transaction(
          (tx) =>
            tx.query(`UPDATE ${qualified} SET _synced_at = _synced_at - interval '5 minutes'`),
          { asWriter: true },
        );
      }
    },
    async dueNow() {
      await fixture.session.db.query(
        `UPDATE {sync}.outbox SET next_attempt_at = clock_timestamp(), sent_at = sent_at - interval '1 minute'
          WHERE state IN ('pending', 'sending')`,
      );
    },
    async reopen() {
      await fixture.session.stop();
      fixture.session = await open();
    },
    async stop() {
      await user.end();
      await fixture.session.stop();
      await database.drop();
      await emulator.stop();
    },
  };
  return fixture;
}
