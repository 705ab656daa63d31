import { BEFORE_FLEETS, buildAt } from './baseline.ts';
import { atMost, show } from './figures.ts';
import type { Told } from './parts.ts';
import { dltFills, type Filler, fillBeside, oursFills } from './peers/backfill-beside.ts';
import { pushBeside } from './peers/push-beside.ts';
import { drt, type OpenPusher, ours } from './peers/pushers.ts';
import { type Beside, compareTurns, type Side, takeTurns } from './peers/turns.ts';
import type { Postgres } from './postgres.ts';
import { withEmulator } from './stage.ts';

const SCENE = { people: 20_000, rows: 5_000, editedThere: 50 };
const FILLED = 50_000;

/** Other people's programs, and the build of before, beside this one: each as its users run it. */
export async function peersPart(postgres: Postgres, told: Told): Promise<readonly Beside[]> {
  const before = await buildAt(BEFORE_FLEETS);
  const pushed = await pushPart(postgres, told, [
    { name: 'this program', program: ours() },
    { name: `its build of before (${BEFORE_FLEETS})`, program: ours(before), ahead: 2.5 },
    { name: 'drt 1.2.1 in batches of 500', program: drt(500), ahead: 1 },
    { name: 'drt 1.2.1 in batches of 100', program: drt(100), ahead: 1 },
  ]);
  const filled = await backfillPart(postgres, told, [
    { name: 'this program', program: oursFills() },
    { name: `its build of before (${BEFORE_FLEETS})`, program: oursFills(before), ahead: 1.6 },
    { name: 'dlt 1.31 (parquet by ADBC, a record as JSON)', program: dltFills('rows'), ahead: 4 },
    { name: 'dlt 1.31 given Arrow tables of JSON text', program: dltFills('tables') },
  ]);
  return [pushed, filled];
}

async function pushPart(
  postgres: Postgres,
  { tell, sizes }: Told,
  sides: readonly Side<OpenPusher>[],
): Promise<Beside> {
  const what = `push of ${show(SCENE.rows)} rows, of which ${SCENE.editedThere} are edited there`;
  const calm = { ...SCENE, committedLate: 0, isOneRefused: false };
  const turns = await takeTurns(sides, sizes.rounds, (open) => pushBeside(postgres, open, calm));
  const beside = compareTurns(what, turns, tell);
  for (const { side, runs } of turns) {
    const isOurs = side === sides[0];
    tell({
      name: `of ${SCENE.editedThere / 2} edits made there before a push, overwritten by ${side.name}`,
      value: Math.max(...runs.map(({ overwritten }) => overwritten)),
      unit: 'edits',
      ...(isOurs && { limit: atMost(0) }),
      note: `of as many while it ran: ${runs.map((run) => run.overwrittenMeanwhile).join(', ')}; ${runs[0]?.writes} writes and ${runs[0]?.reads} reads`,
    });
  }
  const trouble = { ...SCENE, committedLate: 50, isOneRefused: true };
  for (const { name, program } of sides) {
    const { lost } = await pushBeside(postgres, program, trouble);
    tell({
      name: `of ${show(SCENE.rows)} rows, one refused and 50 committed late, never sent by ${name}`,
      value: lost,
      unit: 'rows',
      ...(name === sides[0]?.name && { limit: atMost(0) }),
    });
  }
  return beside;
}

async function backfillPart(
  postgres: Postgres,
  { tell, sizes }: Told,
  sides: readonly Side<Filler>[],
): Promise<Beside> {
  return await withEmulator(FILLED, async (emulator) => {
    const turns = await takeTurns(sides, sizes.rounds, (filler) =>
      fillBeside({ emulator, postgres }, filler),
    );
    return compareTurns(`backfill of ${show(FILLED)} people`, turns, tell);
  });
}
