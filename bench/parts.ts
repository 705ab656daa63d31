import { atLeast, atMost, type Figure, median, show } from './figures.ts';
import { measurePair, measurePairs, medianPair, type Pair } from './measure-backfill.ts';
import { measureCapture } from './measure-capture.ts';
import { measureCommits } from './measure-commits.ts';
import { measurePull } from './measure-pull.ts';
import type { Postgres } from './postgres.ts';
import { type Stage, withEmulator } from './stage.ts';

export interface Sizes {
  /** Of the usual workspace. */
  readonly people: number;
  /** Of the largest one. */
  readonly most: number;
  readonly rounds: number;
  readonly changes: number;
  /** In one process, beside as many processes. */
  readonly workspaces: number;
}

/** A pair and what it was measured under, for the plot. */
export interface Point {
  readonly label: string;
  readonly pair: Pair;
}

export interface Told {
  readonly tell: (figure: Figure) => void;
  readonly sizes: Sizes;
}

const SHARE = 0.8;
const CAPTURE_TIMES = 3.5;
const MEGABYTE = 1_000_000;

export async function backfillPart(stage: Stage, { tell, sizes }: Told): Promise<void> {
  const pairs = await measurePairs(stage, sizes.rounds);
  const middle = medianPair(pairs);
  const what = `backfill of ${show(sizes.people)} people`;
  const rates = pairs.map(({ ours }) => ours.perSecond);
  tell({
    name: what,
    value: Math.max(...rates),
    unit: 'records/s',
    limit: atLeast(25_000),
    note: `best of ${rates.map(show).join(', ')}`,
  });
  tell({
    name: `${what}, share of the bare loop`,
    value: middle.share,
    unit: 'times',
    limit: atLeast(SHARE),
    note: `median of ${pairs.map(({ share }) => show(share)).join(', ')}; bare ${pairs.map(({ bare }) => show(bare.perSecond)).join(', ')} records/s`,
  });
  const shares = pairs.flatMap(({ processorShare }) => processorShare ?? []);
  if (shares.length === 0) return;
  tell({
    name: `${what}, share of the bare loop by processor time`,
    value: median(shares),
    unit: 'times',
    note: `${describeProcessor(middle)}; says more where others use the machine`,
  });
}

function describeProcessor({ ours, bare }: Pair): string {
  const micros = (one: Pair['bare']) =>
    `${show(one.clientMicros)} + ${show(one.databaseMicros ?? Number.NaN)} µs`;
  return `ours ${micros(ours)} a record, bare ${micros(bare)} (client + Postgres), server ${show(ours.emulatorMicros ?? Number.NaN)} µs`;
}

export async function pullPart(stage: Stage, { tell, sizes }: Told): Promise<void> {
  const pulled = await measurePull(stage, sizes.changes);
  tell({
    name: `pull of ${show(sizes.changes)} changes`,
    value: pulled.perSecond,
    unit: 'records/s',
    note: `${show(pulled.perSecond / pulled.bare.perSecond)} times the bare loop, which compares, locks and overwrites nothing`,
  });
  tell({
    name: 'requests of an idle tick of one object',
    value: pulled.idleRequests - pulled.idleDeletions,
    unit: 'requests',
    limit: atMost(1),
  });
  tell({
    name: 'requests of an idle tick of one object, deletions',
    value: pulled.idleDeletions,
    unit: 'requests',
    limit: atMost(1),
  });
}

export async function commitPart(stage: Stage, { tell }: Told): Promise<void> {
  const [alone, busy] = await measureCommits(stage, [
    { perSecond: 2, commits: 20 },
    { perSecond: 50, commits: 1_000 },
  ]);
  if (!alone || !busy) throw new Error('nothing was committed');
  const what = 'from a commit to Clarify';
  tell({ name: `${what}, median`, value: alone.medianMs, unit: 'ms', limit: atMost(300) });
  tell({
    name: `${what} at 50 commits a second, median`,
    value: busy.medianMs,
    unit: 'ms',
    limit: atMost(300),
  });
  tell({
    name: `${what} at 50 commits a second, 99th percentile`,
    value: busy.worst1PercentMs,
    unit: 'ms',
    limit: atMost(1_500),
  });
}

export async function growthPart(postgres: Postgres, { tell, sizes }: Told): Promise<Point[]> {
  const points: Point[] = [];
  for (const people of [sizes.most / 100, sizes.most / 10, sizes.most]) {
    const pair = await withEmulator(people, (emulator) =>
      measurePair({ emulator, postgres }, false),
    );
    points.push({ label: show(people), pair });
    tell({
      name: `backfill of ${show(people)} people`,
      value: pair.ours.perSecond,
      unit: 'records/s',
      note: `${show(pair.share)} times the bare loop; ${describeProcessor(pair)}; ${show(pair.ours.residentBytes / MEGABYTE)} MB`,
    });
  }
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return points;
  tell({
    name: `rate at ${last.label} people, share of that at ${first.label}`,
    value: last.pair.ours.perSecond / first.pair.ours.perSecond,
    unit: 'times',
    limit: atLeast(SHARE),
    note: 'it does not fall as the workspace grows',
  });
  tell({
    name: `resident memory over ${last.label} records`,
    value: last.pair.ours.residentBytes / MEGABYTE,
    unit: 'MB',
    limit: atMost(200),
  });
  return points;
}

export async function latencyPart(stage: Stage, { sizes, tell }: Told): Promise<Point[]> {
  const points: Point[] = [];
  for (const latencyMs of [0, 20, 100]) {
    await stage.emulator.act('switches', { latencyMs });
    const pairs = await measurePairs(stage, sizes.rounds);
    const pair = medianPair(pairs);
    points.push({ label: `${latencyMs} ms`, pair });
    tell({
      name: `backfill at ${latencyMs} ms a request, share of the bare loop`,
      value: pair.share,
      unit: 'times',
      limit: atLeast(SHARE),
      note: `${show(pair.ours.perSecond)} records/s beside ${show(pair.bare.perSecond)}`,
    });
  }
  await stage.emulator.act('switches', { latencyMs: 0 });
  return points;
}

export async function capturePart(postgres: Postgres, { tell }: Told): Promise<void> {
  const sizes = [
    { rows: 100_000, rounds: 3 },
    { rows: 1_000, rounds: 15 },
  ];
  for (const { rows, rounds } of sizes) {
    await measureCapture(postgres, { rows, rounds }, (cost) => {
      const { update, times, withMs, withoutMs, processorTimes } = cost;
      const byProcessor =
        processorTimes === null ? '' : `; ${show(processorTimes)} by processor time`;
      tell({
        name: `bulk update of ${show(rows)} rows, ${update}, with capture`,
        value: times,
        unit: 'times',
        // The design's limit is for 100,000 rows.
        ...(rows >= 100_000 && { limit: atMost(CAPTURE_TIMES) }),
        note: `${show(withMs)} ms beside ${show(withoutMs)} ms${byProcessor}`,
      });
    });
  }
}
