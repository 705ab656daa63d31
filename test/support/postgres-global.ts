import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/db/connection/database.ts';
import { migrateControl } from '../../src/db/migrate.ts';
import { startTestServer, type TestServer } from './postgres-server.ts';
import { TEST_SCHEMAS } from './schemas.ts';

/** What a test file needs to clone a database of its own. */
export interface TestPostgres {
  readonly url: string;
  /** Begins the name of every database of this run; the template is the prefix itself. */
  readonly prefix: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: TestPostgres;
  }
}

interface Shared {
  users: number;
  readonly ready: Promise<{ server: TestServer; postgres: TestPostgres }>;
}

declare global {
  // Projects load this file separately, and share one server nevertheless.
  var clarifySyncTestPostgres: Shared | undefined;
}

async function withAdmin<T>(url: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

async function dropAll({ url, prefix }: TestPostgres): Promise<void> {
  await withAdmin(url, async (admin) => {
    const { rows } = await admin.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [prefix],
    );
    for (const { datname } of rows) {
      await admin.query(`drop database if exists ${pg.escapeIdentifier(datname)} with (force)`);
    }
  });
}

async function prepare(): Promise<{ server: TestServer; postgres: TestPostgres }> {
  const server = await startTestServer();
  const prefix = `sync_test_${randomBytes(4).toString('hex')}`;
  const postgres = { url: server.url, prefix };
  try {
    const version = await withAdmin(server.url, async (admin) => {
      await admin.query(`create database ${prefix}`);
      const { rows } = await admin.query<{ server_version: string }>('show server_version');
      return rows[0]?.server_version ?? 'unknown';
    });
    process.stderr.write(`Tests run on ${server.description}, PostgreSQL ${version}.\n`);
    const url = new URL(server.url);
    url.pathname = `/${prefix}`;
    const db = openDatabase({
      url: url.href,
      schemas: TEST_SCHEMAS,
      applicationName: 'template',
      max: 1,
    });
    try {
      await migrateControl(db);
    } finally {
      await db.close();
    }
  } catch (error) {
    try {
      await dropAll(postgres);
    } finally {
      await server.stop();
    }
    throw error;
  }
  return { server, postgres };
}

/** Runs once per project; the last project to finish leaves nothing behind. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  globalThis.clarifySyncTestPostgres ??= { users: 0, ready: prepare() };
  const shared = globalThis.clarifySyncTestPostgres;
  shared.users += 1;
  const { server, postgres } = await shared.ready;
  project.provide('postgres', postgres);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    globalThis.clarifySyncTestPostgres = undefined;
    try {
      await dropAll(postgres);
    } finally {
      await server.stop();
    }
  };
}
