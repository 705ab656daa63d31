import { BEFORE_FLEETS, buildAt } from './baseline.ts';
import { atLeast, atMost, median, show } from './figures.ts';
import { measurePush, type PushRun } from './measure-push.ts';
import type { Told } from './parts.ts';
import { type Turns, takeTurns } from './peers/turns.ts';
import type { Postgres } from './postgres.ts';
import { PROGRAM, type Stage, withEmulator } from './stage.ts';

const PEOPLE = 20_000;
const ROWS = 5_000;
const BATCH = 100;
const MOST_READS = 4;
const AHEAD = 2.5;

/** One large push, and a smaller one beside the build of before, each in a workspace of its own. */
export async function pushPart(stage: Stage, told: Told): Promise<void> {
  const { tell, sizes } = told;
  const pushed = await measurePush(stage, sizes.changes);
  tell({
    name: `push of ${show(sizes.changes)} changed rows`,
    value: pushed.perSecond,
    unit: 'records/s',
    note: describeProcessor([pushed]),
  });
  tellRequests(sizes.changes, [pushed], told);
  await besideBefore(stage.postgres, told);
}

async function besideBefore(postgres: Postgres, told: Told): Promise<void> {
  const { tell, sizes } = told;
  const sides = [
    { name: 'this program', program: PROGRAM },
    { name: `its build of before (${BEFORE_FLEETS})`, program: await buildAt(BEFORE_FLEETS) },
  ];
  const turns = await takeTurns(sides, sizes.rounds, async (main) =>
    withEmulator(PEOPLE, (emulator) => measurePush({ emulator, postgres }, ROWS, main)),
  );
  const [ours, before] = turns.map(({ runs }: Turns<string, PushRun>) => runs);
  if (ours === undefined || before === undefined) throw new Error('nothing was pushed');
  const what = `push of ${show(ROWS)} changed rows`;
  const rates = (runs: readonly PushRun[]) =>
    runs.map(({ perSecond }) => show(perSecond)).join(', ');
  const times = ours.map(({ perSecond }, round) => perSecond / (before[round]?.perSecond ?? 0));
  tell({
    name: `${what}, to the build of before`,
    value: median(times),
    unit: 'times',
    limit: atLeast(AHEAD),
    note: `median of ${times.map(show).join(', ')}; ${rates(ours)} to ${rates(before)} records/s`,
  });
  tell({
    name: `${what}, processor time to that of the build of before, starts included`,
    value: median(ours.map((run, round) => used(before[round]) / used(run))),
    unit: 'times less',
    note: `${describeProcessor(ours)}; before ${describeProcessor(before)}`,
  });
  tellRequests(ROWS, ours, told);
  tell({
    name: `reads for ${show(ROWS)} changed rows, the start of the program included`,
    value: median(ours.map(({ reads }) => reads)),
    unit: 'requests',
    limit: atMost(MOST_READS),
    note: `median of ${ours.map(({ reads }) => reads).join(', ')}; before ${before.map(({ reads }) => reads).join(', ')}`,
  });
}

function tellRequests(rows: number, runs: readonly PushRun[], { tell }: Told): void {
  tell({
    name: `writes for ${show(rows)} changed rows`,
    value: Math.max(...runs.map(({ writes }) => writes)),
    unit: 'requests',
    limit: atMost(Math.ceil(rows / BATCH)),
  });
}

function used(run: PushRun | undefined): number {
  return (run?.clientMicros ?? Number.NaN) + (run?.databaseMicros ?? 0);
}

function describeProcessor(runs: readonly PushRun[]): string {
  const client = median(runs.map(({ clientMicros }) => clientMicros));
  const database = median(runs.map(({ databaseMicros }) => databaseMicros ?? Number.NaN));
  return `${show(client)} + ${show(database)} µs a change (client + Postgres)`;
}
