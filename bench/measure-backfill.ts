import { type Measured, measureOthers, runBare } from './bare.ts';
import { median } from './figures.ts';
import { query } from './postgres.ts';
import { lastRun, runProgram, type Stage, withDatabase } from './stage.ts';

/** Ours and the bare loop over the same pages, one right after the other. */
export interface Pair {
  readonly people: number;
  readonly ours: Measured & { readonly requests: number };
  readonly bare: Measured;
  /** Records a second, ours to bare. */
  readonly share: number;
  /** Processor time a record, bare to ours, Postgres included; null where nobody tells. */
  readonly processorShare: number | null;
}

/** Backfills people into a new database with the program as users run it. */
async function runBackfill(stage: Stage, databaseUrl: string): Promise<Pair['ours']> {
  // The same program with next to nothing to do: what a start takes.
  const beforeStartMs = await stage.postgres.processorMs();
  const start = await runProgram(stage.emulator, databaseUrl, ['pull', 'c_project']);
  const afterStartMs = await stage.postgres.processorMs();
  const measured = await measureOthers(stage, async () => {
    const finished = await runProgram(stage.emulator, databaseUrl, ['backfill', 'person']);
    const { seconds, counts } = await lastRun(databaseUrl, 'backfill');
    const { read = 0, requests = 0 } = counts;
    return {
      records: read,
      perSecond: read / seconds,
      requests,
      residentBytes: finished.residentBytes,
      clientMicros: ((finished.processorMs - start.processorMs) * 1000) / read,
    };
  });
  const [row] = await query(databaseUrl, 'SELECT count(*)::integer AS rows FROM clarify.person');
  const { people } = stage.emulator;
  if (row?.['rows'] !== people) throw new Error(`${String(row?.['rows'])} rows of ${people}`);
  const { databaseMicros } = measured;
  if (databaseMicros === null || beforeStartMs === null || afterStartMs === null) return measured;
  const startMicros = ((afterStartMs - beforeStartMs) * 1000) / people;
  return { ...measured, databaseMicros: databaseMicros - startMicros };
}

export async function measurePair(stage: Stage, bareFirst: boolean): Promise<Pair> {
  const { people } = stage.emulator;
  return await withDatabase(stage.postgres, async (databaseUrl) => {
    // Brings the tables about, whose form the bare loop copies.
    await runProgram(stage.emulator, databaseUrl, ['backfill', 'c_project']);
    const runOne = () =>
      runBare(stage, databaseUrl, { records: people, column: '_created_at', from: null });
    const first = bareFirst ? await runOne() : null;
    const ours = await runBackfill(stage, databaseUrl);
    const bare = first ?? (await runOne());
    return {
      people,
      ours,
      bare,
      share: ours.perSecond / bare.perSecond,
      processorShare: compare(bare, ours),
    };
  });
}

function compare(bare: Measured, ours: Measured): number | null {
  if (bare.databaseMicros === null || ours.databaseMicros === null) return null;
  return (bare.clientMicros + bare.databaseMicros) / (ours.clientMicros + ours.databaseMicros);
}

/** Several pairs, each side first in turn, so that whatever else goes on meets both alike. */
export async function measurePairs(stage: Stage, rounds: number): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round += 1) {
    pairs.push(await measurePair(stage, round % 2 === 0));
  }
  return pairs;
}

/** The pair whose share is the median of all. */
export function medianPair(pairs: readonly Pair[]): Pair {
  const middle = median(pairs.map(({ share }) => share));
  const found = pairs.find(({ share }) => share === middle);
  if (found === undefined) throw new Error('there is no pair');
  return found;
}
