import { type Measured, runBareRead } from './bare.ts';
import { atMost, median, show } from './figures.ts';
import type { Told } from './parts.ts';
import type { Postgres } from './postgres.ts';
import {
  lastRun,
  runProgram,
  type Stage,
  startEmulator,
  startScannedEmulator,
  startWorkspace,
  withDatabase,
  withStarted,
} from './stage.ts';

const RECORDS = 50_000;
/** Beyond fetching and parsing a record, the work of the database included. */
const MICROS = 8;

interface Reading {
  readonly what: string;
  readonly kind: 'pull' | 'reconcile';
  readonly flags: readonly string[];
}

/** CRMs by how they are read, with an object of many records and one of none or few. */
interface Workspace {
  readonly object: string;
  readonly other: string;
  readonly readings: readonly Reading[];
}

const DEEP: Reading = { what: 'reconcile --deep', kind: 'reconcile', flags: ['--deep'] };
const RECONCILE: Reading = { what: 'reconcile', kind: 'reconcile', flags: [] };
const SCANNED: Workspace = {
  object: 'people',
  other: 'projects',
  readings: [{ what: 'a sweep round', kind: 'pull', flags: [] }, RECONCILE, DEEP],
};
const COUNTED: Workspace = { object: 'person', other: 'deal', readings: [DEEP] };
const POSITIONED: Workspace = { object: 'contacts', other: 'deals', readings: [RECONCILE] };
const NUMBERED: Workspace = { object: 'client_client', other: 'projects', readings: [RECONCILE] };

/** What it costs to find that nothing has changed, where everything is read. */
export async function unchangedPart(postgres: Postgres, told: Told): Promise<void> {
  const sizes = { people: RECORDS, companies: 5_000, deals: 3_000, projects: 0 };
  await withStarted(startScannedEmulator(sizes), (emulator) =>
    measureWorkspace({ emulator, postgres }, SCANNED, told),
  );
  await withStarted(startEmulator(RECORDS), (emulator) =>
    measureWorkspace({ emulator, postgres }, COUNTED, told),
  );
  // Its allowances would be what is measured.
  const switches = { contactsPerSecond: 0, contactsPerHour: 0, othersPerHour: 0 };
  const positioned = { crm: 'brevo', sizes: { contacts: RECORDS }, switches };
  await withStarted(startWorkspace(positioned), (emulator) =>
    measureWorkspace({ emulator, postgres }, POSITIONED, told),
  );
  const numbered = { crm: 'kizen', sizes: { contacts: RECORDS }, switches: {} };
  await withStarted(startWorkspace(numbered), (emulator) =>
    measureWorkspace({ emulator, postgres }, NUMBERED, told),
  );
}

async function measureWorkspace(
  stage: Stage,
  { object, other, readings }: Workspace,
  { tell, sizes }: Told,
): Promise<void> {
  await withDatabase(stage.postgres, async (databaseUrl) => {
    await runProgram(stage.emulator, databaseUrl, ['backfill', object, other]);
    // A further reading finds rows and records equal, and remembers it.
    await runProgram(stage.emulator, databaseUrl, ['reconcile', object, '--deep']);
    for (const reading of readings) {
      const rounds: { ours: Measured; bare: Measured; micros: number }[] = [];
      for (let round = 0; round < sizes.rounds; round += 1) {
        const bare = await runBareRead(stage, { object, records: RECORDS });
        const ours = await measureReading(stage, databaseUrl, { object, other, reading });
        const micros = ours.clientMicros + (ours.databaseMicros ?? 0) - bare.clientMicros;
        rounds.push({ ours, bare, micros });
      }
      const last = rounds.at(-1);
      tell({
        name: `${reading.what} (${stage.emulator.crm}), an unchanged record beyond fetching and parsing it`,
        value: median(rounds.map(({ micros }) => micros)),
        unit: 'µs of processor time',
        limit: atMost(MICROS),
        note: `median of ${rounds.map(({ micros }) => show(micros)).join(', ')}; ours ${show(last?.ours.clientMicros ?? Number.NaN)} + ${show(last?.ours.databaseMicros ?? Number.NaN)} µs (client + Postgres), fetched and parsed ${show(last?.bare.clientMicros ?? Number.NaN)}`,
      });
    }
  });
}

async function measureReading(
  stage: Stage,
  databaseUrl: string,
  what: { readonly object: string; readonly other: string; readonly reading: Reading },
): Promise<Measured> {
  const { emulator, postgres } = stage;
  const { kind, flags } = what.reading;
  const run = (object: string) => runProgram(emulator, databaseUrl, [kind, object, ...flags]);
  // The same with next to nothing to read: what a start takes.
  const beforeMs = await postgres.processorMs();
  const start = await run(what.other);
  const startMs = await postgres.processorMs();
  const finished = await run(what.object);
  const endMs = await postgres.processorMs();
  const { seconds, counts } = await lastRun(databaseUrl, kind, emulator.crm);
  const { read = 0 } = counts;
  if (read < RECORDS) throw new Error(`only ${read} were read`);
  const micros = (ms: number) => (ms * 1000) / read;
  const isTold = beforeMs !== null && startMs !== null && endMs !== null;
  return {
    records: read,
    perSecond: read / seconds,
    residentBytes: finished.residentBytes,
    clientMicros: micros(finished.processorMs - start.processorMs),
    databaseMicros: isTold ? micros(endMs - startMs - (startMs - beforeMs)) : null,
    emulatorMicros: null,
  };
}
