import { parseArgs } from 'node:util';
import { startTestServer } from '../support/postgres-server.ts';
import { type Arena, openArena } from './arena.ts';
import { dialectOf, type HistoryResult, runHistory } from './history.ts';
import { WRITINGS, type WritingKind } from './writing.ts';

const { values: options } = parseArgs({
  options: {
    /** Replays one history, step by step. */
    seed: { type: 'string' },
    /** How the CRM takes changes: bulk, single, job. */
    writing: { type: 'string', default: 'bulk' },
    /** How often, since what runs at the same time may run otherwise. */
    repeat: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '1' },
    /** The first seed of a run. */
    from: { type: 'string', default: String(Math.floor(Date.now() / 1000) % 1_000_000) },
    /** How many histories at a time, each in a database of its own. */
    'at-once': { type: 'string', default: '1' },
    /** Goes on after a failure. */
    all: { type: 'boolean', default: false },
  },
});

const writing = writingOf(options.writing);

const print = (line: string) => process.stdout.write(`${line}\n`);

function writingOf(name: string): WritingKind {
  const known = WRITINGS.find((kind) => kind === name);
  if (known === undefined) throw new Error(`--writing ${name}: unknown`);
  return known;
}

function report({ seed, problems, log, dump }: HistoryResult): void {
  print(`\nhistory ${seed} fails; replay it with: npm run simulate -- --seed ${seed}`);
  for (const line of log) print(`  ${line}`);
  for (const line of dump) print(`  ${line}`);
  for (const problem of problems) print(`  ! ${problem}`);
}

const server = await startTestServer();
const arenas: Arena[] = [];

/** Arenas of somebody who takes one history after the other. */
function ownArenas(): (seed: number) => Promise<Arena> {
  const known = new Map<string, Arena>();
  return async (seed) => {
    const dialect = writing === 'job' ? 'current' : dialectOf(seed);
    const arena = known.get(dialect) ?? (await openArena(server.url, dialect));
    if (!known.has(dialect)) arenas.push(arena);
    known.set(dialect, arena);
    return arena;
  };
}

let failures = 0;

async function replay(seed: number): Promise<void> {
  const arenaFor = ownArenas();
  for (let n = 0; n < Number(options.repeat) && failures === 0; n += 1) {
    const result = await runHistory(await arenaFor(seed), seed, { tell: print, writing });
    for (const line of result.dump) print(`  ${line}`);
    for (const problem of result.problems) print(`! ${problem}`);
    failures += Math.min(1, result.problems.length);
  }
}

async function run(): Promise<void> {
  const untilMs = Date.now() + Number(options.minutes) * 60_000;
  const parked = new Map<string, number>();
  let histories = 0;
  let next = Number(options.from);
  const work = async () => {
    const arenaFor = ownArenas();
    while (Date.now() < untilMs && (options.all || failures === 0)) {
      const seed = next;
      next += 1;
      const result = await runHistory(await arenaFor(seed), seed, { writing });
      histories += 1;
      for (const [reason, count] of Object.entries(result.parked))
        parked.set(reason, (parked.get(reason) ?? 0) + count);
      if (result.problems.length === 0) continue;
      failures += 1;
      report(result);
    }
  };
  await Promise.all(Array.from({ length: Number(options['at-once']) }, work));
  print(`${histories} histories from seed ${options.from}, ${failures} failed`);
  print(`parked: ${JSON.stringify(Object.fromEntries(parked))}`);
}

try {
  await (options.seed === undefined ? run() : replay(Number(options.seed)));
} finally {
  for (const arena of arenas) await arena.drop();
  await server.stop();
}
process.exitCode = failures === 0 ? 0 : 1;
