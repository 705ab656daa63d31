import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { startTestServer } from '../support/postgres-server.ts';

/** Runs `work` on a server and in a database of its own; both are gone afterwards. */
export async function inOwnDatabase<T>(work: (databaseUrl: string) => Promise<T>): Promise<T> {
  const server = await startTestServer();
  const admin = new pg.Client({ connectionString: server.url });
  const name = `clarify_sync_endurance_${randomBytes(4).toString('hex')}`;
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  try {
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name}`);
    return await work(url.href);
  } finally {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).catch(() => undefined);
    await admin.end();
    await server.stop();
  }
}

/** As different from one start to the next. */
export function anySeed(): string {
  return String(Math.floor(Date.now() / 1000) % 1_000_000);
}
