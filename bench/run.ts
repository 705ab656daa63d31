/**
 * `npm run bench`: what the program can do, each figure beside its limit, on the machine it runs
 * on, with Postgres and the server on it. Saves `docs/bench/latest.json` and a plot beside it, and
 * exits with 1 where a limit is missed. About ten minutes on two quiet cores, and a quarter of an hour
 * and 12 GB for the part `fleet`.
 *
 * Flags: `--only backfill,pull,push,commit,after,latency,growth,capture,refusals,scan,unchanged,included,start,idle,fleet,peers`, `--people N` (default 200000),
 * `--most N` (1000000: the largest workspace), `--rounds N` (5), `--changes N` (20000), `--workspaces N`
 * (100), `--save`
 * and `--no-save` (default: saved where every part was run; of a part that was not, the last figures stay). `TEST_DATABASE_URL` chooses a server;
 * default embedded Postgres.
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { afterPart } from './after-part.ts';
import { describeFigure, type Figure, keepsLimit } from './figures.ts';
import { fleetPart } from './fleet-part.ts';
import { idlePart } from './idle-part.ts';
import { includedPart } from './included-part.ts';
import {
  backfillPart,
  capturePart,
  commitPart,
  growthPart,
  latencyPart,
  type Point,
  pullPart,
} from './parts.ts';
import type { Beside } from './peers/turns.ts';
import { peersPart } from './peers-part.ts';
import { startPostgres, stopServers } from './postgres.ts';
import { endChildren } from './process.ts';
import { pushPart } from './push-part.ts';
import { refusalsPart } from './refusals-part.ts';
import { type SavedFigure, saveFigures } from './saved.ts';
import { scanPart } from './scan-part.ts';
import { withEmulator } from './stage.ts';
import { startPart } from './start-part.ts';
import { unchangedPart } from './unchanged-part.ts';

const PARTS = [
  'backfill',
  'pull',
  'push',
  'commit',
  'after',
  'latency',
  'growth',
  'capture',
  'refusals',
  'scan',
  'unchanged',
  'included',
  'start',
  'idle',
  'fleet',
  'peers',
] as const;

const { values: flags } = parseArgs({
  options: {
    people: { type: 'string', default: '200000' },
    most: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    changes: { type: 'string', default: '20000' },
    workspaces: { type: 'string', default: '100' },
    only: { type: 'string', default: PARTS.join(',') },
    save: { type: 'boolean' },
    'no-save': { type: 'boolean' },
  },
});
const wanted = new Set(flags.only.split(','));
for (const part of wanted) {
  if (!PARTS.some((known) => known === part)) throw new Error(`there is no part ${part}`);
}
const isSaved = !flags['no-save'] && (flags.save ?? PARTS.every((part) => wanted.has(part)));

const figures: SavedFigure[] = [];
let part: string = '';
/** Does the work of a part that is wanted; what it tells is the part's. */
async function run<T>(name: (typeof PARTS)[number], work: () => Promise<T>): Promise<T | null> {
  if (!wanted.has(name)) return null;
  part = name;
  return await work();
}
const told = {
  sizes: {
    people: Number(flags.people),
    most: Number(flags.most),
    rounds: Number(flags.rounds),
    changes: Number(flags.changes),
    workspaces: Number(flags.workspaces),
  },
  tell(figure: Figure): void {
    figures.push({ ...figure, part, measuredAt: new Date().toISOString() });
    process.stdout.write(`${describeFigure(figure)}\n`);
  },
};

let ending: Promise<never> | null = null;
async function stopAll(code: number): Promise<never> {
  endChildren();
  await stopServers();
  process.exit(code);
}
// A terminal and `timeout` tell a whole group, and who runs this passes on what it was told: the second time must not
// end us with everything left behind.
for (const [signal, code] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    ending ??= stopAll(code);
  });
}
const postgres = await startPostgres();
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, ${Math.round(totalmem() / 1e9)} GB, Node ${process.version}, ${postgres.version}`;
process.stdout.write(`${machine}\n`);
let grown: readonly Point[] = [];
let delayed: readonly Point[] = [];
let beside: readonly Beside[] = [];
try {
  if (['backfill', 'pull', 'push', 'latency'].some((one) => wanted.has(one))) {
    await withEmulator(told.sizes.people, async (emulator) => {
      const stage = { emulator, postgres };
      await run('backfill', () => backfillPart(stage, told));
      delayed = (await run('latency', () => latencyPart(stage, told))) ?? [];
      await run('pull', () => pullPart(stage, told));
      await run('push', () => pushPart(stage, told));
    });
  }
  // A workspace of its own: the part above leaves tens of thousands of edits of the last minute.
  await run('commit', () =>
    withEmulator(told.sizes.people, (emulator) => commitPart({ emulator, postgres }, told)),
  );
  await run('after', () => afterPart(postgres, told));
  grown = (await run('growth', () => growthPart(postgres, told))) ?? [];
  await run('capture', () => capturePart(postgres, told));
  await run('refusals', () => refusalsPart(postgres, told));
  await run('scan', () => scanPart(postgres, told));
  await run('unchanged', () => unchangedPart(postgres, told));
  await run('included', () => includedPart(told));
  await run('start', () => startPart(postgres, told));
  await run('idle', () => idlePart(postgres, told));
  beside = (await run('peers', () => peersPart(postgres, told))) ?? [];
  await run('fleet', () => fleetPart(told));
} finally {
  await postgres.stop();
}
const missed = figures.filter((figure) => !keepsLimit(figure)).length;
process.stdout.write(missed === 0 ? 'every limit is kept\n' : `${missed} limits are missed\n`);
if (isSaved) await saveFigures({ machine, figures, grown, delayed, beside }, wanted);
process.exitCode = missed === 0 ? 0 : 1;
