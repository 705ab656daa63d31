import { type Measured, measureOthers, runBareScan } from './bare.ts';
import { atLeast, atMost, median, show } from './figures.ts';
import type { Told } from './parts.ts';
import type { Postgres } from './postgres.ts';
import {
  lastRun,
  runProgram,
  type Stage,
  startScannedEmulator,
  withDatabase,
  withStarted,
} from './stage.ts';

interface Scanned {
  readonly first: Measured;
  readonly bare: Measured;
  /** Everything read again, and nothing changed. */
  readonly idle: Measured;
  readonly idleRequests: number;
}

const OBJECT = 'people';
const SIZES = { people: 50_000, companies: 5_000, deals: 3_000, projects: 0 };
const PAGE = 500;

/** A CRM that lists no changes lives by reading everything: what the first time takes, and each further one. */
export async function scanPart(postgres: Postgres, { tell, sizes }: Told): Promise<void> {
  const runs: Scanned[] = [];
  await withStarted(startScannedEmulator(SIZES), async (emulator) => {
    for (let round = 0; round < sizes.rounds; round += 1) {
      runs.push(await measureScan({ emulator, postgres }, round % 2 === 0));
    }
  });
  const what = `first read of ${show(SIZES.people)} people that nobody counts`;
  const shares = runs.map(({ first, bare }) => first.perSecond / bare.perSecond);
  tell({
    name: `${what}, share of the bare loop`,
    value: median(shares),
    unit: 'times',
    limit: atLeast(0.75),
    note: `median of ${shares.map(show).join(', ')}; ${runs.map(({ first }) => show(first.perSecond)).join(', ')} records/s`,
  });
  const together = ({ clientMicros, databaseMicros }: Measured) =>
    clientMicros + (databaseMicros ?? Number.NaN);
  tell({
    name: `${what}, share of the bare loop by processor time`,
    value: median(runs.map(({ first, bare }) => together(bare) / together(first))),
    unit: 'times',
    note: `ours ${describe(runs.at(-1)?.first)}, bare ${describe(runs.at(-1)?.bare)} a record (client + Postgres)`,
  });
  tell({
    name: 'processor time of an unchanged record, share of its first read',
    value: median(runs.map(({ first, idle }) => together(idle) / together(first))),
    unit: 'times',
    note: `${describe(runs.at(-1)?.idle)} a record (client + Postgres)`,
  });
  tell({
    name: `requests of a reading of ${show(SIZES.people)} people`,
    value: Math.max(...runs.map(({ idleRequests }) => idleRequests)),
    unit: 'requests',
    // 200 for 100,000, and one that finds the end.
    limit: atMost(SIZES.people / PAGE + 1),
  });
}

function describe(one: Measured | undefined): string {
  return `${show(one?.clientMicros ?? Number.NaN)} + ${show(one?.databaseMicros ?? Number.NaN)} µs`;
}

async function measureScan(stage: Stage, bareFirst: boolean): Promise<Scanned> {
  return await withDatabase(stage.postgres, async (databaseUrl) => {
    // Brings the tables about, whose form the bare loop copies.
    await runProgram(stage.emulator, databaseUrl, ['backfill', 'projects']);
    const runBareLoop = () =>
      runBareScan(stage, databaseUrl, { object: OBJECT, records: SIZES.people });
    const before = bareFirst ? await runBareLoop() : null;
    const first = await measureRun(stage, databaseUrl, 'backfill');
    const bare = before ?? (await runBareLoop());
    // Whatever the first read leaves to be done is done by then.
    await measureRun(stage, databaseUrl, 'pull');
    const idle = await measureRun(stage, databaseUrl, 'pull');
    return { first, bare, idle, idleRequests: idle.requests };
  });
}

async function measureRun(
  stage: Stage,
  databaseUrl: string,
  command: 'backfill' | 'pull',
): Promise<Measured & { readonly requests: number }> {
  const { emulator, postgres } = stage;
  // The same program with next to nothing to do: what a start takes.
  const beforeStartMs = await postgres.processorMs();
  const start = await runProgram(emulator, databaseUrl, ['pull', 'projects']);
  const afterStartMs = await postgres.processorMs();
  const measured = await measureOthers(stage, async () => {
    const finished = await runProgram(emulator, databaseUrl, [command, OBJECT]);
    const { seconds, counts } = await lastRun(databaseUrl, command, emulator.crm);
    const { read = 0, requests = 0 } = counts;
    return {
      records: read,
      perSecond: read / seconds,
      requests,
      residentBytes: finished.residentBytes,
      clientMicros: ((finished.processorMs - start.processorMs) * 1000) / read,
    };
  });
  if (measured.records < SIZES.people) throw new Error(`only ${measured.records} were read`);
  const { databaseMicros } = measured;
  if (databaseMicros === null || beforeStartMs === null || afterStartMs === null) return measured;
  const startMicros = ((afterStartMs - beforeStartMs) * 1000) / SIZES.people;
  return { ...measured, databaseMicros: databaseMicros - startMicros };
}
