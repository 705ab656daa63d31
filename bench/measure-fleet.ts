import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from './figures.ts';
import { type Idle, measureIdle } from './idle.ts';
import type { Postgres } from './postgres.ts';
import { type Running, startAndFollow } from './process.ts';
import { PROGRAM, waitUntil, withDatabase } from './stage.ts';
import { countOthers, openClient, type Workspace } from './workspaces.ts';

export interface FleetRun {
  /** From the start of the process until it says of every workspace that it runs. */
  readonly startMs: number;
  /** Until an edit that waited in each of them was sent. */
  readonly sentMs: number;
  readonly idle: Idle;
  /** From a commit in one of them, each in its turn, to its CRM. */
  readonly medianMs: number;
  readonly worst1PercentMs: number;
}

/** Seven objects are left. */
export const EXCLUDED = ['playbook', 'meeting_recording'];
const START_MS = 600_000;
const SETTLE_MS = 30_000;

/** Every workspace in one process and one database: made, stopped, and started again warm. */
export async function measureFleet(
  postgres: Postgres,
  workspaces: readonly Workspace[],
  idleMs: number,
): Promise<FleetRun> {
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-fleet-'));
  const file = join(folder, 'fleet.yaml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ workspaces: Object.fromEntries(workspaces.map(entry)) }));
  let service: Running | undefined;
  try {
    return await withDatabase(postgres, async (databaseUrl) => {
      const client = openClient(databaseUrl);
      await client.connect();
      const names = workspaces.map(({ name }) => name);
      let running = new Set<string>();
      const start = () => {
        running = new Set();
        const env = {
          CLARIFY_SYNC_FLEET: file,
          CLARIFY_SYNC_HTTP: 'off',
          DATABASE_URL: databaseUrl,
        };
        return startAndFollow([PROGRAM, 'run'], env, (line) => {
          const [, name] = /"workspace":"(\w+)".*"msg":"running"/.exec(line) ?? [];
          if (name !== undefined) running.add(name);
        });
      };
      const isEach = (condition: (name: string) => string) => async () => {
        // A schema that is still to come is an error of the statement.
        const answers = await client
          .query<{ all: boolean }>(
            `SELECT bool_and(one) AS all FROM (${names.map(condition).join(' UNION ALL ')}) AS each (one)`,
          )
          .catch(() => null);
        return answers?.rows[0]?.all === true;
      };
      const isStarted = async () => running.size === names.length;
      const isSent = isEach(
        (name) => `SELECT NOT EXISTS (SELECT FROM ${name}_sync.outbox WHERE state <> 'done')`,
      );
      try {
        service = start();
        await waitUntil(
          'every workspace is read',
          START_MS,
          isEach((name) => `SELECT count(*) >= 20 FROM ${name}.person`),
        );
        await sleep(SETTLE_MS);
        await service.stop();
        for (const name of names) await edit(client, name, 'Waited');
        const startedMs = performance.now();
        service = start();
        await waitUntil('every workspace runs', START_MS, isStarted);
        const startMs = performance.now() - startedMs;
        await waitUntil('every edit is sent', START_MS, isSent);
        const sentMs = performance.now() - startedMs;
        await sleep(SETTLE_MS);
        const idle = await measureIdle([service.pid], { postgres, ms: idleMs }, () =>
          countOthers(client),
        );
        const took = await measureArrivals(client, names, isSent);
        return {
          startMs,
          sentMs,
          idle: { ...idle, connections: Math.max(idle.connections, await countOthers(client)) },
          medianMs: percentile(took, 0.5),
          worst1PercentMs: percentile(took, 0.99),
        };
      } finally {
        await service?.stop();
        await client.end();
      }
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function entry({ name, url, apiKey, workspace }: Workspace) {
  return [
    name,
    { crm: 'clarify', workspace, apiKey, apiUrl: url, push: true, exclude: EXCLUDED },
  ] as const;
}

type Client = ReturnType<typeof openClient>;

/** Edits the first person. @returns its id */
async function edit(client: Client, schema: string, title: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `UPDATE ${schema}.person SET job_title = $1
      WHERE id = (SELECT min(id) FROM ${schema}.person) RETURNING id`,
    [title],
  );
  return rows[0]?.id ?? '';
}

const PACE_MS = 250;

/** One commit after the other, each in another workspace. When it arrived its CRM says. */
async function measureArrivals(
  client: Client,
  names: readonly string[],
  isSent: () => Promise<boolean>,
): Promise<number[]> {
  const committed: { name: string; id: string; atMs: number }[] = [];
  for (const name of names) {
    const id = await edit(client, name, 'Prompt');
    committed.push({ name, id, atMs: Date.now() });
    await sleep(PACE_MS);
  }
  await waitUntil('every commit is settled', SETTLE_MS, isSent);
  const took: number[] = [];
  for (const { name, id, atMs } of committed) {
    const { rows } = await client.query<{ atMs: number }>(
      `SELECT extract(epoch FROM _updated_at)::float8 * 1000 AS "atMs" FROM ${name}.person WHERE id = $1`,
      [id],
    );
    took.push((rows[0]?.atMs ?? Number.NaN) - atMs);
  }
  return took;
}
