import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Idle, measureIdle } from './idle.ts';
import { EXCLUDED } from './measure-fleet.ts';
import { type Postgres, query } from './postgres.ts';
import { type Running, runNode, startSilently } from './process.ts';
import { waitUntil } from './stage.ts';
import type { Workspace } from './workspaces.ts';

const AT_ONCE = 2;
const START_MS = 120_000;
const SETTLE_MS = 30_000;

/** Every workspace in a process and a database of its own, by the program at `main`; warm. */
export async function measureApart(
  postgres: Postgres,
  workspaces: readonly Workspace[],
  { main, idleMs }: { readonly main: string; readonly idleMs: number },
): Promise<Idle> {
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-apart-'));
  const config = join(folder, 'config.yaml');
  await writeFile(config, JSON.stringify({ exclude: EXCLUDED }));
  const running: Running[] = [];
  const databases: { drop(): Promise<void> }[] = [];
  const queue = [...workspaces];
  const startNext = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const database = await postgres.createDatabase();
      databases.push(database);
      const env = {
        CLARIFY_API_URL: next.url,
        CLARIFY_API_KEY: next.apiKey,
        CLARIFY_WORKSPACE: next.workspace,
        CLARIFY_SYNC_PUSH: 'on',
        CLARIFY_SYNC_HTTP: 'off',
        CLARIFY_SYNC_CONFIG: config,
        DATABASE_URL: database.url,
      };
      await runNode([main, 'sync', '--json'], env);
      running.push(startSilently([main, 'run'], env));
      await waitUntil(`${next.name} is led`, START_MS, async () => {
        const leases = await query(
          database.url,
          'SELECT FROM clarify_sync.lease WHERE holder IS NOT NULL AND expires_at > now()',
        );
        return leases.length > 0;
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, startNext));
    await sleep(SETTLE_MS);
    const pids = running.map(({ pid }) => pid);
    return await measureIdle(pids, { postgres, ms: idleMs }, async () => {
      const [row] = await query(
        postgres.url,
        `SELECT count(*)::integer AS count FROM pg_stat_activity
          WHERE datname LIKE 'clarify_sync_bench_%' AND backend_type = 'client backend'`,
      );
      return Number(row?.['count']);
    });
  } finally {
    await Promise.all(running.map(async (each) => await each.stop()));
    for (const database of databases) await database.drop();
    await rm(folder, { recursive: true, force: true });
  }
}
