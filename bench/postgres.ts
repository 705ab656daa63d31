import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/app/embedded-postgres/embedded-postgres.ts';
import { readProcessorMs } from './processor.ts';

/** A server whose databases may be made and dropped. Durable, as in operation. */
export interface Postgres {
  readonly version: string;
  /** Of a database that none of the measurements is made in. */
  readonly url: string;
  createDatabase(): Promise<{ readonly url: string; drop(): Promise<void> }>;
  /** Processor time of the whole server so far; null where it runs elsewhere. */
  processorMs(): Promise<number | null>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

const servers = new Set<Promise<Postgres>>();

/** Stops those that were started, or are about to be: each is a process of its own, and would go on by itself. */
export async function stopServers(): Promise<void> {
  for (const started of await Promise.allSettled(servers)) {
    if (started.status === 'fulfilled') await started.value.stop();
  }
}

/**
 * `TEST_DATABASE_URL`, else embedded Postgres as a user without a server of his own gets it, but for
 * these settings. One that is given has to have them.
 */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<Postgres> {
  const starting = start(settings);
  servers.add(starting);
  return await starting;
}

async function start(settings: Readonly<Record<string, string>>): Promise<Postgres> {
  const given = process.env['TEST_DATABASE_URL'];
  const dir = await mkdtemp(join(tmpdir(), 'clarify-sync-bench-'));
  const open = async () => await startEmbeddedPostgres({ dir: join(dir, 'postgres') });
  let embedded = given ? null : await open();
  if (embedded && Object.keys(settings).length > 0) {
    for (const [name, value] of Object.entries(settings)) {
      await query(embedded.url, `ALTER SYSTEM SET ${name} = ${value}`);
    }
    await embedded.stop();
    embedded = await open();
  }
  const adminUrl = given ?? embedded?.url ?? '';
  const [row] = await query(adminUrl, 'SHOW server_version');
  const ownPid = `SELECT substring(pg_read_file('postmaster.pid') FROM '^[0-9]+')::integer AS pid`;
  const [postmaster] = embedded ? await query(adminUrl, ownPid) : [];
  const pid = Number(postmaster?.['pid']);
  const end = async () => {
    await embedded?.stop();
    await rm(dir, { recursive: true, force: true });
  };
  let ended: Promise<void> | null = null;
  return {
    url: adminUrl,
    version: `PostgreSQL ${String(row?.['server_version'])}${embedded ? ', embedded' : ''}`,
    async createDatabase() {
      const name = `clarify_sync_bench_${randomBytes(4).toString('hex')}`;
      await query(adminUrl, `CREATE DATABASE ${name}`);
      const url = new URL(adminUrl);
      url.pathname = `/${name}`;
      const drop = async () => {
        await query(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
        // What was written must not be written out while the next one is timed.
        await query(adminUrl, 'CHECKPOINT');
      };
      return { url: url.href, drop };
    },
    processorMs: async () => (Number.isNaN(pid) ? null : await readProcessorMs(pid)),
    stop: async () => {
      ended ??= end();
      await ended;
    },
  };
}

export async function query(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}
