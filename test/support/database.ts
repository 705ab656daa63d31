import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/database.ts';
import { TEMPLATE } from '../../src/db/control/schemas.ts';
import { asWritten, TEST_SCHEMAS } from './schemas.ts';

export interface TestDatabase {
  /** Connection string of the database's owner. */
  readonly url: string;
  readonly name: string;
  readonly db: Database;
  /** The same database as another role, for connections of one's own. */
  urlAs(user: string, password: string): string;
  /** Closes `db` and drops the database, whoever is connected. */
  drop(): Promise<void>;
}

async function asAdmin(statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: inject('postgres').url });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}

function openTestDatabase(url: string): Database {
  const schemas = TEST_SCHEMAS;
  const db = openDatabase({ url, schemas, applicationName: 'clarify-sync test' });
  if (schemas.mirror === TEMPLATE.mirror) return db;
  return {
    ...db,
    get clock() {
      return db.clock;
    },
    query: (text, values) => db.query(asWritten(text), values),
    transaction: (work, options) =>
      db.transaction(
        (tx) => work({ ...tx, query: (text, values) => tx.query(asWritten(text), values) }),
        options,
      ),
  };
}

/**
 * A database of one's own: cloned from a template with the control schema (about 30 ms), or
 * empty. Call it in `beforeAll` or `beforeEach`, and `drop` in the hook that matches.
 */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const { url: adminUrl, prefix } = inject('postgres');
  const name = `${prefix}_${randomBytes(5).toString('hex')}`;
  await asAdmin(`create database ${name} template ${migrated ? prefix : 'template0'}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const db = openTestDatabase(url.href);
  return {
    url: url.href,
    name,
    db,
    urlAs(user, password) {
      const other = new URL(url);
      other.username = encodeURIComponent(user);
      other.password = encodeURIComponent(password);
      return other.href;
    },
    async drop() {
      await db.close();
      await asAdmin(`drop database if exists ${name} with (force)`);
    },
  };
}
