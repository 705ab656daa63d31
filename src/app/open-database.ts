import { type Database, openDatabase } from '../db/connection/database.ts';
import { migrateControl } from '../db/migrate.ts';
import { type Config, schemasFor } from './config/config.ts';
import type { EmbeddedPostgres } from './embedded-postgres/embedded-postgres.ts';

interface WarningLog {
  warn(fields: object, message: string): void;
}

/** A database that is ours, migrated; the CRM is not needed for it. */
export interface OpenDatabase {
  readonly db: Database;
  readonly databaseUrl: string;
  readonly embedded: boolean;
  stop(): Promise<void>;
}

export const EMBEDDED_FOLDER = '.clarify-sync/postgres';

/**
 * Opens the configured database, or the embedded one, and migrates it: nothing is changed where its
 * schemas are another workspace's, as far as it is known which is wanted.
 */
export async function openDatabaseOnly(
  config: Config,
  { log }: { readonly log: WarningLog },
  workspace: string | null = null,
): Promise<OpenDatabase> {
  const embedded = config.database === null ? await startOwn() : null;
  const databaseUrl = config.database?.url ?? embedded?.url ?? '';
  const db = openDatabase({
    url: databaseUrl,
    schemas: schemasFor(config),
    isPooled: isPooled(config),
    applicationName: 'clarify-sync',
    log,
  });
  const stop = async () => {
    await db.close();
    await embedded?.stop();
  };
  try {
    await migrateControl(db, { owner: { crm: config.crm.name, workspace } });
  } catch (error) {
    await stop();
    throw error;
  }
  return { db, databaseUrl, embedded: embedded !== null, stop };
}

/** A pooler stands before the database, as the address that goes past it tells. */
export function isPooled({ database }: Config): boolean {
  return database !== null && database.directUrl !== database.url;
}

/** Not with the rest: where a database is named, a server of our own is not thought of. */
async function startOwn(): Promise<EmbeddedPostgres> {
  const { startEmbeddedPostgres } = await import('./embedded-postgres/embedded-postgres.ts');
  return await startEmbeddedPostgres({ dir: EMBEDDED_FOLDER });
}
