import { parseArgs } from 'node:util';
import { startTestServer } from '../support/postgres-server.ts';
import { type Arena, openArena } from './arena.ts';
import { dialectOf, type HistoryResult, runHistory } from './history.ts';

const { values: options } = parseArgs({
  options: {
    /** Replays one history, step by step. */
    seed: { type: 'string' },
    /** How often, since what runs at the same time may run otherwise. */
    repeat: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '1' },
    /** The first seed of a run. */
    from: { type: 'string', default: String(Math.floor(Date.now() / 1000) % 1_000_000) },
    /** Goes on after a failure. */
    all: { type: 'boolean', default: false },
  },
});

const print = (line: string) => process.stdout.write(`${line}\n`);

function report({ seed, problems, log, dump }: HistoryResult): void {
  print(`\nhistory ${seed} fails; replay it with: npm run simulate -- --seed ${seed}`);
  for (const line of log) print(`  ${line}`);
  for (const line of dump) print(`  ${line}`);
  for (const problem of problems) print(`  ! ${problem}`);
}

const server = await startTestServer();
const arenas = new Map<string, Arena>();
const arenaFor = async (seed: number): Promise<Arena> => {
  const dialect = dialectOf(seed);
  const known = arenas.get(dialect);
  if (known) return known;
  const arena = await openArena(server.url, dialect);
  arenas.set(dialect, arena);
  return arena;
};

let failures = 0;
try {
  if (options.seed !== undefined) {
    const seed = Number(options.seed);
    for (let n = 0; n < Number(options.repeat) && failures === 0; n += 1) {
      const result = await runHistory(await arenaFor(seed), seed, { tell: print });
      for (const line of result.dump) print(`  ${line}`);
      for (const problem of result.problems) print(`! ${problem}`);
      failures += Math.min(1, result.problems.length);
    }
  } else {
    const untilMs = Date.now() + Number(options.minutes) * 60_000;
    const parked = new Map<string, number>();
    let histories = 0;
    for (let seed = Number(options.from); Date.now() < untilMs; seed += 1) {
      const result = await runHistory(await arenaFor(seed), seed);
      histories += 1;
      for (const [reason, count] of Object.entries(result.parked))
        parked.set(reason, (parked.get(reason) ?? 0) + count);
      if (result.problems.length === 0) continue;
      failures += 1;
      report(result);
      if (!options.all) break;
    }
    print(`${histories} histories from seed ${options.from}, ${failures} failed`);
    print(`parked: ${JSON.stringify(Object.fromEntries(parked))}`);
  }
} finally {
  for (const arena of arenas.values()) await arena.drop();
  await server.stop();
}
process.exitCode = failures === 0 ? 0 : 1;
