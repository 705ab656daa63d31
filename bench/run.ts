/**
 * `npm run bench`: what the program can do, each figure beside its limit, on the machine it runs
 * on, with Postgres and the server on it. Saves `docs/bench/latest.json` and a plot beside it, and
 * exits with 1 where a limit is missed. About ten minutes on two quiet cores.
 *
 * Flags: `--only backfill,pull,push,commit,latency,growth,capture`, `--people N` (default 200000),
 * `--most N` (1000000: the largest workspace), `--rounds N` (5), `--changes N` (20000), `--save`
 * and `--no-save` (default: saved where every part was run). `TEST_DATABASE_URL` chooses a server;
 * default embedded Postgres.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { describeFigure, type Figure, keepsLimit } from './figures.ts';
import {
  backfillPart,
  capturePart,
  commitPart,
  growthPart,
  latencyPart,
  type Point,
  pullPart,
  pushPart,
} from './parts.ts';
import { drawPlot } from './plot.ts';
import { startPostgres } from './postgres.ts';
import { endChildren } from './process.ts';
import { withEmulator } from './stage.ts';

const PARTS = ['backfill', 'pull', 'push', 'commit', 'latency', 'growth', 'capture'] as const;

const { values: flags } = parseArgs({
  options: {
    people: { type: 'string', default: '200000' },
    most: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    changes: { type: 'string', default: '20000' },
    only: { type: 'string', default: PARTS.join(',') },
    save: { type: 'boolean' },
    'no-save': { type: 'boolean' },
  },
});
const wanted = new Set(flags.only.split(','));
for (const part of wanted) {
  if (!PARTS.some((known) => known === part)) throw new Error(`there is no part ${part}`);
}
const wants = (part: (typeof PARTS)[number]) => wanted.has(part);
const isSaved = !flags['no-save'] && (flags.save ?? PARTS.every(wants));

const figures: Figure[] = [];
const told = {
  sizes: {
    people: Number(flags.people),
    most: Number(flags.most),
    rounds: Number(flags.rounds),
    changes: Number(flags.changes),
  },
  tell(figure: Figure): void {
    figures.push(figure);
    process.stdout.write(`${describeFigure(figure)}\n`);
  },
};

const starting = startPostgres();
/** Embedded Postgres is a process of its own, and would go on by itself. */
async function stopAll(code: number): Promise<never> {
  endChildren();
  await (await starting).stop();
  process.exit(code);
}
process.once('SIGINT', () => void stopAll(130));
process.once('SIGTERM', () => void stopAll(143));
const postgres = await starting;
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, ${Math.round(totalmem() / 1e9)} GB, Node ${process.version}, ${postgres.version}`;
process.stdout.write(`${machine}\n`);
let grown: Point[] = [];
let delayed: Point[] = [];
try {
  if (['backfill', 'pull', 'push', 'latency'].some((part) => wanted.has(part))) {
    await withEmulator(told.sizes.people, async (emulator) => {
      const stage = { emulator, postgres };
      if (wants('backfill')) await backfillPart(stage, told);
      if (wants('latency')) delayed = await latencyPart(stage, told);
      if (wants('pull')) await pullPart(stage, told);
      if (wants('push')) await pushPart(stage, told);
    });
  }
  // A workspace of its own: before it overwrites anything a push reads what changed in the last
  // minute, and right after the parts above that would be 40,000 edits.
  if (wants('commit')) {
    await withEmulator(told.sizes.people, (emulator) => commitPart({ emulator, postgres }, told));
  }
  if (wants('growth')) grown = await growthPart(postgres, told);
  if (wants('capture')) await capturePart(postgres, told);
} finally {
  await postgres.stop();
}
const missed = figures.filter((figure) => !keepsLimit(figure)).length;
process.stdout.write(missed === 0 ? 'every limit is kept\n' : `${missed} limits are missed\n`);
if (isSaved) {
  await mkdir('docs/bench', { recursive: true });
  const document = { measuredAt: new Date().toISOString(), machine, figures, grown, delayed };
  await writeFile('docs/bench/latest.json', `${JSON.stringify(document, null, 2)}\n`);
  if (grown.length > 0 && delayed.length > 0) {
    await writeFile('docs/bench/latest.svg', drawPlot({ machine, grown, delayed }));
  }
}
process.exitCode = missed === 0 ? 0 : 1;
