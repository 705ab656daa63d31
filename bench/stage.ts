import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/app/embedded-postgres.ts';
import { type Finished, type Running, runNode, startAndListen, startSilently } from './process.ts';

/** The compiled program: what users run, not what a loader makes of it. */
const PROGRAM = 'dist/main.js';

/** A server whose databases may be made and dropped. Durable, as in operation. */
export interface Postgres {
  readonly version: string;
  createDatabase(): Promise<{ readonly url: string; drop(): Promise<void> }>;
  stop(): Promise<void>;
}

/** `TEST_DATABASE_URL`, else embedded Postgres as a user without a server of his own gets it. */
export async function startPostgres(): Promise<Postgres> {
  const given = process.env['TEST_DATABASE_URL'];
  const dir = await mkdtemp(join(tmpdir(), 'clarify-sync-bench-'));
  const embedded = given ? null : await startEmbeddedPostgres({ dir: join(dir, 'postgres') });
  const adminUrl = given ?? embedded?.url ?? '';
  const [row] = await query(adminUrl, 'SHOW server_version');
  return {
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
    async stop() {
      await embedded?.stop();
      await rm(dir, { recursive: true, force: true });
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

export interface EmulatorStats {
  readonly endpoints: Readonly<Record<string, { readonly requests: number }>>;
  readonly recordsWritten: number;
}

export interface Emulator {
  readonly url: string;
  readonly apiKey: string;
  readonly workspace: string;
  /** `POST /_emulator/<name>` */
  act(name: string, body: unknown): Promise<unknown>;
  stats(): Promise<EmulatorStats>;
  stop(): Promise<void>;
}

/**
 * The emulator in a process of its own, as Clarify is in reality. Its rate limit is lifted unless
 * told otherwise: what is measured is what this program can do, and the limit is known.
 */
export async function startEmulator(people: number, latencyMs = 0): Promise<Emulator> {
  const companies = String(Math.min(5_000, Math.ceil(people / 20)));
  const sizes = ['--people', String(people), '--companies', companies];
  const { line, stop } = await startAndListen([
    PROGRAM,
    'emulator',
    '--port',
    '0',
    '--json',
    ...sizes,
  ]);
  const said: { url: string; adminUrl: string; apiKey: string; workspace: string } =
    JSON.parse(line);
  const act = async (name: string, body: unknown) => {
    const response = await fetch(`${said.adminUrl}/${name}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
    return await response.json();
  };
  const stats = async (): Promise<EmulatorStats> =>
    JSON.parse(await (await fetch(`${said.adminUrl}/stats`)).text());
  await act('switches', { ratePerMinute: 1_000_000, latencyMs });
  return { ...said, act, stats, stop };
}

function environment(emulator: Emulator, databaseUrl: string): Record<string, string> {
  return {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_API_KEY: emulator.apiKey,
    CLARIFY_WORKSPACE: emulator.workspace,
    CLARIFY_SYNC_PUSH: 'on',
    CLARIFY_SYNC_HTTP: 'off',
    DATABASE_URL: databaseUrl,
  };
}

/** Runs a command of the program against an emulator and a database. */
export async function runProgram(
  { emulator, databaseUrl }: { emulator: Emulator; databaseUrl: string },
  args: readonly string[],
): Promise<Finished> {
  return await runNode([PROGRAM, ...args, '--json'], environment(emulator, databaseUrl));
}

/** Starts the service, and returns once it leads. */
export async function startService(emulator: Emulator, databaseUrl: string): Promise<Running> {
  const service = startSilently([PROGRAM, 'run'], environment(emulator, databaseUrl));
  const startedMs = performance.now();
  for (;;) {
    const leases = await query(
      databaseUrl,
      'SELECT FROM clarify_sync.lease WHERE holder IS NOT NULL AND expires_at > now()',
    );
    if (leases.length > 0) return service;
    if (performance.now() - startedMs > 60_000) {
      await service.stop();
      throw new Error('the service did not begin to lead');
    }
    await sleep(50);
  }
}

/** The last run of a kind, from the run log. */
export async function lastRun(
  databaseUrl: string,
  kind: string,
): Promise<{ readonly seconds: number; readonly counts: Readonly<Record<string, number>> }> {
  const [row] = await query(
    databaseUrl,
    `SELECT extract(epoch FROM finished_at - started_at)::float8 AS seconds, counts, state
       FROM clarify_sync.run WHERE kind = $1 ORDER BY id DESC LIMIT 1`,
    [kind],
  );
  if (row?.['state'] !== 'ok') throw new Error(`the ${kind} was not ok: ${JSON.stringify(row)}`);
  return row as { seconds: number; counts: Record<string, number> } & typeof row;
}
