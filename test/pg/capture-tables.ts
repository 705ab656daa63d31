import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { applyMirror } from '../../src/db/mirror/apply.ts';
import { ensureInstallation } from '../../src/db/service/installation.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { field, objectOf, personName } from '../unit/mirror/schemas.ts';

export interface Entry {
  readonly op: string;
  readonly record_id: string;
  readonly changes: Readonly<Record<string, unknown>>;
}

/** A database with mirror tables, and a user who may write those and nothing else. */
export interface CaptureDatabase {
  readonly database: TestDatabase;
  /** Runs SQL as the user; the rows of the last statement. */
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  readonly user: pg.Client;
  readonly role: string;
  /** Writes as the synchronisation does. */
  write(text: string): Promise<void>;
  /** What was captured since the last call, oldest first. */
  entries(): Promise<Entry[]>;
  drop(): Promise<void>;
}

const deal = objectOf('deal', [
  field('title'),
  field('order'),
  field('amount', 'number'),
  field('won', 'boolean'),
  field('closes_on', 'date'),
  field('met_at', 'timestamp'),
  field('tags', 'texts'),
  field('terms', 'json'),
  field('company_id', 'reference'),
  personName,
]);

export async function openCapture({ push = true } = {}): Promise<CaptureDatabase> {
  const database = await createTestDatabase();
  const { db } = database;
  await ensureInstallation(db, { workspace: 'acme', push });
  await applyMirror(db, [deal, objectOf('company', [field('title')])]);
  const role = `editor_${randomBytes(5).toString('hex')}`;
  await db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'editor'`);
  await db.query(`GRANT USAGE ON SCHEMA clarify TO ${role}`);
  await db.query(
    `GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON clarify.deal, clarify.company TO ${role}`,
  );
  await db.query(`GRANT CREATE, TEMPORARY ON DATABASE ${database.name} TO ${role}`);
  const user = new pg.Client({ connectionString: database.urlAs(role, 'editor') });
  await user.connect();
  let seen = 0n;
  return {
    database,
    user,
    role,
    async sql(text, values) {
      const result = await user.query(text, values && [...values]);
      const last = Array.isArray(result) ? result.at(-1) : result;
      return last.rows;
    },
    async write(text) {
      await db.transaction((tx) => tx.query(text), { asWriter: true });
    },
    async entries() {
      const rows = await db.query<Entry & { id: bigint }>(
        'SELECT id, op, record_id, changes FROM clarify_sync.outbox WHERE id > $1 ORDER BY id',
        [seen],
      );
      seen = rows.at(-1)?.id ?? seen;
      return rows.map(({ op, record_id, changes }) => ({ op, record_id, changes }));
    },
    async drop() {
      await user.end();
      await db.query(`DROP OWNED BY ${role} CASCADE`);
      await database.drop();
      await dropRole(database, role);
    },
  };
}

async function dropRole(database: TestDatabase, role: string): Promise<void> {
  const url = new URL(database.url);
  url.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  try {
    await admin.query(`DROP ROLE ${role}`);
  } finally {
    await admin.end();
  }
}
