import type { BareReport, BareTask } from './bare-loop.ts';
import type { BareReadTask } from './bare-read.ts';
import type { BareScanTask } from './bare-scan.ts';
import { query } from './postgres.ts';
import { runNode } from './process.ts';
import type { Stage } from './stage.ts';

/** As many as a backfill has by default. */
const IN_FLIGHT = 4;

/** What a run took, per record where it says so. */
export interface Measured {
  readonly records: number;
  readonly perSecond: number;
  /** Processor time of the client, less what a start takes, and of Postgres, microseconds a record. */
  readonly clientMicros: number;
  readonly databaseMicros: number | null;
  readonly emulatorMicros: number | null;
  /** The most that the client's process had in memory. */
  readonly residentBytes: number;
}

/** Processor time of the others meanwhile, microseconds a record. */
export async function measureOthers<T extends { readonly records: number }>(
  { emulator, postgres }: Stage,
  work: () => Promise<T>,
): Promise<T & Pick<Measured, 'databaseMicros' | 'emulatorMicros'>> {
  const before = [await postgres.processorMs(), await emulator.processorMs()];
  const done = await work();
  const after = [await postgres.processorMs(), await emulator.processorMs()];
  const [databaseMicros = null, emulatorMicros = null] = after.map((endMs, index) => {
    const startMs = before[index] ?? null;
    return startMs === null || endMs === null ? null : ((endMs - startMs) * 1000) / done.records;
  });
  return { ...done, databaseMicros, emulatorMicros };
}

/** Runs the bare loop into a new table like the mirror, without its triggers. */
export async function runBare(
  stage: Stage,
  databaseUrl: string,
  task: Pick<BareTask, 'records' | 'column' | 'from'>,
): Promise<Measured> {
  const { workspace } = stage.emulator;
  const like = { loop: 'bench/bare-loop.ts', table: 'clarify.person' };
  return await runLoop(stage, databaseUrl, { ...like, task: { ...task, workspace } });
}

/** Likewise of one object of a CRM that lists records by creation alone. */
export async function runBareScan(
  stage: Stage,
  databaseUrl: string,
  task: Pick<BareScanTask, 'records' | 'object'>,
): Promise<Measured> {
  const table = `${stage.emulator.crm}.${task.object}`;
  return await runLoop(stage, databaseUrl, { loop: 'bench/bare-scan.ts', table, task });
}

/** Fetches and parses, one page after the other. */
export async function runBareRead(
  { emulator }: Stage,
  task: Pick<BareReadTask, 'records' | 'object'>,
): Promise<Measured> {
  const { crm, url, apiKey, workspace, userId = '', businessId = '' } = emulator;
  const all: BareReadTask = { crm, url, apiKey, workspace, userId, businessId, ...task };
  const measured = await runLoopAlone('bench/bare-read.ts', all);
  if (measured.records !== task.records) throw new Error('the bare loop lost records');
  return { ...measured, databaseMicros: null, emulatorMicros: null };
}

async function runLoopAlone(loop: string, task: object) {
  const args = ['--import', 'tsx', loop, JSON.stringify(task)];
  const { stdout, residentBytes } = await runNode(args);
  const { records, ms, processorMs }: BareReport = JSON.parse(stdout);
  const perSecond = (records * 1000) / ms;
  return { records, perSecond, clientMicros: (processorMs * 1000) / records, residentBytes };
}

async function runLoop(
  stage: Stage,
  databaseUrl: string,
  {
    loop,
    table: like,
    task,
  }: { readonly loop: string; readonly table: string; readonly task: object },
): Promise<Measured> {
  const table = 'public.bare';
  await query(databaseUrl, `DROP TABLE IF EXISTS ${table}`);
  await query(
    databaseUrl,
    `CREATE TABLE ${table} (LIKE ${like} INCLUDING GENERATED INCLUDING INDEXES)`,
  );
  const columns = await query(
    databaseUrl,
    `SELECT column_name AS name, data_type AS type FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name = 'bare' AND is_generated = 'NEVER'
        AND column_name NOT IN ('_local_id', '_extra') ORDER BY ordinal_position`,
  );
  const { url, apiKey } = stage.emulator;
  const all = { url, apiKey, databaseUrl, table, columns, inFlight: IN_FLIGHT, ...task };
  const measured = await measureOthers(stage, () => runLoopAlone(loop, all));
  const [row] = await query(databaseUrl, `SELECT count(*)::integer AS rows FROM ${table}`);
  if (row?.['rows'] !== measured.records) throw new Error('the bare loop lost records');
  await query(databaseUrl, `DROP TABLE ${table}`);
  return measured;
}
