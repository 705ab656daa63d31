import type { BareTask } from './bare-loop.ts';
import { runNode } from './process.ts';
import { type Emulator, query } from './stage.ts';

/** As many as a backfill has by default. */
export const IN_FLIGHT = 4;

export interface BareRun {
  readonly records: number;
  readonly perSecond: number;
  /** Of the whole process, its start included, per record. */
  readonly processorMicros: number;
  readonly residentBytes: number;
}

/** Runs the bare loop into a new table like the mirror, without its triggers. */
export async function runBare(
  emulator: Emulator,
  databaseUrl: string,
  task: Pick<BareTask, 'records' | 'column' | 'from'>,
): Promise<BareRun> {
  const table = 'public.bare';
  await query(databaseUrl, `DROP TABLE IF EXISTS ${table}`);
  await query(
    databaseUrl,
    `CREATE TABLE ${table} (LIKE clarify.person INCLUDING GENERATED INCLUDING INDEXES)`,
  );
  const columns = await query(
    databaseUrl,
    `SELECT column_name AS name, data_type AS type FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name = 'bare' AND is_generated = 'NEVER'
        AND column_name NOT IN ('_local_id', '_extra') ORDER BY ordinal_position`,
  );
  const { url, apiKey, workspace } = emulator;
  const all = { url, apiKey, workspace, databaseUrl, table, columns, inFlight: IN_FLIGHT, ...task };
  const finished = await runNode(['--import', 'tsx', 'bench/bare-loop.ts', JSON.stringify(all)]);
  const { records, ms }: { records: number; ms: number } = JSON.parse(finished.stdout);
  const [row] = await query(databaseUrl, `SELECT count(*)::integer AS rows FROM ${table}`);
  if (row?.['rows'] !== records) throw new Error('the bare loop lost records');
  return {
    records,
    perSecond: (records * 1000) / ms,
    processorMicros: (finished.processorMs * 1000) / records,
    residentBytes: finished.residentBytes,
  };
}
