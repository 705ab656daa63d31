/**
 * `npm run bench`: what the program can do, each figure beside its limit, on the machine it runs
 * on, with Postgres and the emulator on it. Saves `docs/bench/latest.json` and a plot beside it.
 *
 * Flags: `--people N` (default 200000), `--million N` (1000000: the largest workspace), `--rounds N`
 * (3), `--changes N` (20000), `--only backfill,pull,push,growth,latency,capture`, `--no-save`.
 * `TEST_DATABASE_URL` chooses a server; default embedded Postgres.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { describeFigure, type Figure, keepsLimit } from './figures.ts';
import { compareBackfill } from './measure-backfill.ts';
import { measureCapture } from './measure-capture.ts';
import { type GrowthPoint, measurePoint } from './measure-growth.ts';
import { measurePull } from './measure-pull.ts';
import { measureCommits, measurePush } from './measure-push.ts';
import { drawPlot } from './plot.ts';
import { type Emulator, type Postgres, startEmulator, startPostgres } from './stage.ts';

const { values: flags } = parseArgs({
  options: {
    people: { type: 'string', default: '200000' },
    million: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    changes: { type: 'string', default: '20000' },
    only: { type: 'string', default: 'backfill,pull,push,growth,latency,capture' },
    'no-save': { type: 'boolean', default: false },
  },
});
const people = Number(flags.people);
const million = Number(flags.million);
const changes = Number(flags.changes);
const wanted = new Set(flags.only.split(','));

const COMMITS = 40;
const MEGABYTE = 1_000_000;
const figures: Figure[] = [];

function tell(figure: Figure): void {
  figures.push(figure);
  process.stdout.write(`${describeFigure(figure)}\n`);
}

async function backfill(emulator: Emulator, postgres: Postgres): Promise<void> {
  const compared = await compareBackfill({ emulator, postgres }, people, Number(flags.rounds));
  const what = `backfill of ${people.toLocaleString('en')} people`;
  const rate = (value: number) => Math.round(value).toLocaleString('en');
  const rates = `${rate(compared.perSecond)}/s beside ${rate(compared.barePerSecond)}/s`;
  tell({
    name: `${what}, share of the bare loop`,
    value: compared.ratio,
    unit: 'times',
    limit: { kind: 'at least', value: 0.8 },
    note: `${rates}; pairs of runs: ${compared.ratios.map((one) => one.toFixed(2)).join(' ')}`,
  });
  tell({
    name: what,
    value: compared.best,
    unit: 'records/s',
    limit: { kind: 'at least', value: 25_000 },
    note: 'the best of the runs, since others may be at work on the machine',
  });
}

async function pull(emulator: Emulator, postgres: Postgres): Promise<void> {
  const pulled = await measurePull({ emulator, postgres }, changes);
  tell({
    name: `pull of ${changes.toLocaleString('en')} changes, share of the bare loop`,
    value: pulled.ratio,
    unit: 'times',
    note: `${Math.round(pulled.perSecond)}/s beside ${Math.round(pulled.barePerSecond)}/s; rows that stand are compared, locked and overwritten`,
  });
  tell({
    name: 'requests of an idle tick of one object, deletions included',
    value: pulled.idleRequests,
    unit: 'requests',
    limit: { kind: 'at most', value: 2 },
  });
}

async function push(emulator: Emulator, postgres: Postgres): Promise<void> {
  const pushed = await measurePush({ emulator, postgres }, changes);
  tell({ name: 'push', value: pushed.perSecond, unit: 'records/s' });
  tell({
    name: `writes for ${changes.toLocaleString('en')} changed rows`,
    value: pushed.writes,
    unit: 'requests',
    limit: { kind: 'at most', value: Math.ceil(changes / 100) },
  });
  tell({
    name: 'a commit reaches Clarify, median',
    value: await measureCommits({ emulator, postgres }, COMMITS),
    unit: 'ms',
    limit: { kind: 'at most', value: 300 },
  });
}

interface Plotted {
  readonly people: number;
  readonly latencyMs: number;
  readonly point: GrowthPoint;
}

async function growth(postgres: Postgres): Promise<Plotted[]> {
  const points: Plotted[] = [];
  for (const size of [million / 100, million / 10, million]) {
    const point = await measurePoint(postgres, size, 0);
    points.push({ people: size, latencyMs: 0, point });
    tell({
      name: `backfill of ${size.toLocaleString('en')} people`,
      value: point.perSecond,
      unit: 'records/s',
      note: `bare loop ${Math.round(point.barePerSecond).toLocaleString('en')}/s`,
    });
  }
  const last = points.at(-1);
  tell({
    name: `resident memory over ${million.toLocaleString('en')} records`,
    value: (last?.point.residentBytes ?? Number.NaN) / MEGABYTE,
    unit: 'MB',
    limit: { kind: 'at most', value: 200 },
    note: `${points.map(({ point }) => Math.round(point.residentBytes / MEGABYTE)).join(', ')} MB as the workspace grows`,
  });
  return points;
}

async function latency(postgres: Postgres): Promise<Plotted[]> {
  const points: Plotted[] = [];
  for (const latencyMs of [0, 20, 100]) {
    const point = await measurePoint(postgres, people, latencyMs);
    points.push({ people, latencyMs, point });
    tell({
      name: `backfill at ${latencyMs} ms a request`,
      value: point.perSecond,
      unit: 'records/s',
      note: `bare loop ${Math.round(point.barePerSecond).toLocaleString('en')}/s`,
    });
  }
  return points;
}

const postgres = await startPostgres();
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, ${Math.round(totalmem() / 1e9)} GB, Node ${process.version}, ${postgres.version}`;
process.stdout.write(`${machine}\n`);
let grown: Plotted[] = [];
let delayed: Plotted[] = [];
try {
  if (['backfill', 'pull', 'push'].some((part) => wanted.has(part))) {
    const emulator = await startEmulator(people);
    try {
      if (wanted.has('backfill')) await backfill(emulator, postgres);
      if (wanted.has('pull')) await pull(emulator, postgres);
      if (wanted.has('push')) await push(emulator, postgres);
    } finally {
      await emulator.stop();
    }
  }
  if (wanted.has('growth')) grown = await growth(postgres);
  if (wanted.has('latency')) delayed = await latency(postgres);
  if (wanted.has('capture')) for (const figure of await measureCapture()) tell(figure);
} finally {
  await postgres.stop();
}
if (!flags['no-save']) {
  await mkdir('docs/bench', { recursive: true });
  const measuredAt = new Date().toISOString();
  const document = { measuredAt, machine, figures, growth: grown, latency: delayed };
  await writeFile('docs/bench/latest.json', `${JSON.stringify(document, null, 2)}\n`);
  if (grown.length > 0 && delayed.length > 0) {
    await writeFile('docs/bench/latest.svg', drawPlot({ machine, grown, delayed }));
  }
}
process.exitCode = figures.every(keepsLimit) ? 0 : 1;
