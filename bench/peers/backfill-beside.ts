import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Postgres, query } from '../postgres.ts';
import { type Finished, runNode } from '../process.ts';
import { type Emulator, environment, PROGRAM, type Stage, withDatabase } from '../stage.ts';
import { installPeer } from './install.ts';
import type { WholeRun } from './turns.ts';

/** Reads every person into an empty database. */
export interface Filler {
  /** Where the rows stand in the end. */
  readonly table: string;
  run(emulator: Emulator, databaseUrl: string): Promise<Finished>;
}

/** By a build of this program; what is at `main` unless told. */
export function oursFills(main = PROGRAM): Filler {
  return {
    table: 'clarify.person',
    run: async (emulator, databaseUrl) =>
      await runNode([main, 'backfill', 'person', '--json'], environment(emulator, databaseUrl)),
  };
}

/** By dlt, of which `bench/peers/dlt-load.py` knows two ways. */
export function dltFills(form: 'rows' | 'tables'): Filler {
  return {
    table: 'dlt.person',
    run: async ({ url, apiKey, workspace, people }, databaseUrl) => {
      const peer = await installPeer('dlt-1.31.0');
      const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-dlt-'));
      const env = {
        HOME: folder,
        PIPELINES: join(folder, 'pipelines'),
        PEOPLE_URL: `${url}/workspaces/${workspace}/objects/person/resources`,
        API_KEY: apiKey,
        DATABASE_URL: databaseUrl,
        RUNTIME__DLTHUB_TELEMETRY: 'false',
        RUNTIME__LOG_LEVEL: 'ERROR',
        // One buffer, and so one file: the fastest of what was tried.
        DATA_WRITER__BUFFER_MAX_ITEMS: String(people),
      };
      try {
        const script = join(process.cwd(), 'bench/peers/dlt-load.py');
        return await peer.run(script, [form, String(people)], { env, cwd: folder });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** @throws where not every record has become a row */
export async function fillBeside(
  { emulator, postgres }: Stage,
  { table, run }: Filler,
): Promise<WholeRun> {
  return await withDatabase(postgres, async (databaseUrl) => {
    const { people } = emulator;
    const usedBefore = await postgres.processorMs();
    const finished = await run(emulator, databaseUrl);
    const usedMs = await usedSince(postgres, usedBefore);
    const [row] = await query(databaseUrl, `SELECT count(*)::integer AS rows FROM ${table}`);
    if (row?.['rows'] !== people) throw new Error(`${String(row?.['rows'])} rows of ${people}`);
    return {
      perSecond: (people * 1000) / finished.elapsedMs,
      clientMicros: (finished.processorMs * 1000) / people,
      databaseMicros: usedMs === null ? null : (usedMs * 1000) / people,
      residentBytes: finished.residentBytes,
    };
  });
}

/** Processor time of Postgres, milliseconds; null where nobody tells. */
export async function usedSince(postgres: Postgres, before: number | null): Promise<number | null> {
  const after = await postgres.processorMs();
  return before === null || after === null ? null : after - before;
}
