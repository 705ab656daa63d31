import { type BareRun, runBare } from './bare.ts';
import { median } from './figures.ts';
import { type Emulator, lastRun, type Postgres, query, runProgram } from './stage.ts';

export interface BackfillRun {
  readonly records: number;
  readonly perSecond: number;
  readonly requests: number;
  readonly residentBytes: number;
  /** Of the whole process, its start included, per record. */
  readonly processorMicros: number;
}

/** Backfills people into a new database with the program as users run it. */
export async function runBackfill(
  emulator: Emulator,
  databaseUrl: string,
  people: number,
): Promise<BackfillRun> {
  const finished = await runProgram({ emulator, databaseUrl }, ['backfill', 'person']);
  const { seconds, counts } = await lastRun(databaseUrl, 'backfill');
  const [row] = await query(databaseUrl, 'SELECT count(*)::integer AS rows FROM clarify.person');
  if (row?.['rows'] !== people) throw new Error(`${String(row?.['rows'])} rows of ${people}`);
  const { read = 0, requests = 0 } = counts;
  return {
    records: read,
    perSecond: read / seconds,
    requests,
    residentBytes: finished.residentBytes,
    processorMicros: (finished.processorMs * 1000) / read,
  };
}

export interface Comparison {
  readonly perSecond: number;
  readonly barePerSecond: number;
  /** Median of the ratios of neighbouring runs. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  /** Records per second of the best run. */
  readonly best: number;
  readonly runs: readonly BackfillRun[];
  readonly bare: readonly BareRun[];
}

/** Backfill and bare loop in turn, so that whatever else goes on meets both. */
export async function compareBackfill(
  deps: { readonly emulator: Emulator; readonly postgres: Postgres },
  people: number,
  rounds: number,
): Promise<Comparison> {
  const { emulator, postgres } = deps;
  const bare: BareRun[] = [];
  const runs: BackfillRun[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const database = await postgres.createDatabase();
    try {
      // Brings the tables about, whose form the bare loop copies.
      await runProgram({ emulator, databaseUrl: database.url }, ['backfill', 'c_project']);
      const all = { records: people, column: '_created_at', from: null } as const;
      const first = round % 2 === 0 ? await runBare(emulator, database.url, all) : null;
      runs.push(await runBackfill(emulator, database.url, people));
      bare.push(first ?? (await runBare(emulator, database.url, all)));
    } finally {
      await database.drop();
    }
  }
  const ratios = runs.map((run, round) => run.perSecond / (bare[round]?.perSecond ?? Number.NaN));
  return {
    perSecond: median(runs.map(({ perSecond }) => perSecond)),
    barePerSecond: median(bare.map(({ perSecond }) => perSecond)),
    ratio: median(ratios),
    ratios,
    best: Math.max(...runs.map(({ perSecond }) => perSecond)),
    runs,
    bare,
  };
}
