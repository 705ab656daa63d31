import pg from 'pg';
import { type Config, loadConfig } from '../../src/app/config/config.ts';
import { createLog } from '../../src/app/log.ts';
import { openSession, type Session } from '../../src/app/session.ts';
import { schemasOf } from '../../src/db/control/schemas.ts';
import { type Emulator, type EmulatorOptions, startCheckedEmulator } from './checked-emulator.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { asWritten, TEST_SCHEMAS } from './schemas.ts';

/** Emulator, database and session in one process, as a test needs them. */
export interface TestWorkspace {
  readonly emulator: Emulator;
  readonly database: TestDatabase;
  readonly session: Session;
  readonly signal: AbortSignal;
  /** Runs SQL as a user of the warehouse would, not as the synchronisation. */
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** A second session on the same database, as after a restart. */
  reopen(): Promise<Session>;
  stop(): Promise<void>;
}

export interface TestWorkspaceOptions {
  readonly emulator?: EmulatorOptions;
  readonly push?: boolean;
  /** Done to the emulator before the service reads its schema. */
  readonly prepareEmulator?: (emulator: Emulator) => void;
  /** Done to the database before the service opens it. */
  readonly prepare?: (database: TestDatabase) => Promise<void>;
  /** Where the mirror stands; default {@link TEST_SCHEMAS}. */
  readonly schema?: string;
  /** What the configuration file would say. */
  readonly config?: Partial<Config>;
}

export async function openWorkspace(options: TestWorkspaceOptions = {}): Promise<TestWorkspace> {
  const emulator = await startCheckedEmulator(options.emulator);
  options.prepareEmulator?.(emulator);
  const database = await createTestDatabase();
  await options.prepare?.(database);
  const signal = new AbortController().signal;
  const config: Config = {
    ...(await loadConfig({
      env: {
        CLARIFY_API_KEY: emulator.apiKey,
        CLARIFY_WORKSPACE: emulator.workspace,
        CLARIFY_API_URL: emulator.url,
        DATABASE_URL: database.url,
        CLARIFY_SYNC_PUSH: options.push === false ? 'off' : 'on',
        CLARIFY_SYNC_HTTP: 'off',
        CLARIFY_SYNC_SCHEMA: options.schema ?? TEST_SCHEMAS.mirror,
      },
    })),
    ...options.config,
  };
  const schemas = schemasOf(config.schema);
  const log = createLog({ level: 'silent' });
  const sessions: Session[] = [];
  const open = async () => {
    const session = await openSession(config, { log, signal });
    sessions.push(session);
    return session;
  };
  const session = await open();
  const user = new pg.Client({
    connectionString: database.url,
    options: '-c idle_session_timeout=0',
  });
  await user.connect();
  return {
    emulator,
    database,
    session,
    signal,
    sql: async (text, values) =>
      (await user.query(asWritten(text, schemas), values && [...values])).rows,
    reopen: open,
    async stop() {
      await user.end();
      for (const each of sessions) await each.stop();
      await database.drop();
      await emulator.stop();
    },
  };
}
