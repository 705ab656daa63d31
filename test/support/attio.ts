import { createServer } from 'node:net';
import pg from 'pg';
import { type Config, loadConfig } from '../../src/app/config/config.ts';
import { createLog } from '../../src/app/log.ts';
import { openSession, type Session } from '../../src/app/session.ts';
import {
  type AttioEmulator,
  type EmulatorOptions,
  startAttio,
} from '../../src/emulator/attio/emulator.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

/** A workspace of Attio, its database, and sessions in this process. */
export interface AttioWorkspace {
  readonly emulator: AttioEmulator;
  readonly database: TestDatabase;
  readonly config: Config;
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** One more session on the database, as another process has. */
  open(more?: Partial<Config>): Promise<Session>;
  stop(): Promise<void>;
}

/** Once a year: what arrives was told of. */
const NEVER = '0 0 1 1 *';

/** Nothing is read by a schedule, and the status server can be called at a port known beforehand. */
export async function openAttio(
  options: EmulatorOptions & { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<AttioWorkspace & { readonly publicUrl: string }> {
  const { env = {}, ...emulated } = options;
  const emulator = await startAttio({
    ...emulated,
    switches: { webhookTargets: 'any', webhookRetryMs: 200, ...emulated.switches },
  });
  const database = await createTestDatabase();
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const loaded = await loadConfig({
    env: {
      CLARIFY_SYNC_CRM: 'attio',
      ATTIO_API_KEY: emulator.apiKey,
      ATTIO_API_URL: emulator.url,
      DATABASE_URL: database.url,
      CLARIFY_SYNC_PUSH: 'on',
      CLARIFY_SYNC_HTTP: `127.0.0.1:${port}`,
      CLARIFY_SYNC_PUBLIC_URL: publicUrl,
      ...env,
    },
  });
  const quiet = { pull: NEVER, fields: {}, history: false, delete: 'push' as const };
  const objects = Object.fromEntries(
    ['people', 'companies', 'deals', 'projects'].map((object) => [object, quiet]),
  );
  const config: Config = { ...loaded, objects };
  const signal = new AbortController().signal;
  const log = createLog({ level: 'silent' });
  const sessions: Session[] = [];
  const user = new pg.Client({ connectionString: database.url });
  await user.connect();
  return {
    emulator,
    database,
    config,
    publicUrl,
    sql: async (text, values) => (await user.query(text, values && [...values])).rows,
    async open(more = {}) {
      const session = await openSession({ ...config, ...more }, { log, signal });
      sessions.push(session);
      return session;
    },
    async stop() {
      await user.end();
      for (const session of sessions) await session.stop();
      await database.drop();
      await emulator.stop();
    },
  };
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return address !== null && typeof address === 'object' ? address.port : 0;
}
