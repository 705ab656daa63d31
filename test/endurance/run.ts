import { parseArgs } from 'node:util';
import { endure } from './endure.ts';
import { anySeed, inOwnDatabase } from './own-database.ts';

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    /** Percent of the requests that each kind of fault hits. */
    faults: { type: 'string', default: '4' },
    seed: { type: 'string', default: anySeed() },
  },
});

const print = (line: string) => process.stdout.write(`${line}\n`);

await inOwnDatabase(async (databaseUrl) => {
  print(`seed ${options.seed}`);
  const { wrong, differences, conflicts, parked, ...figures } = await endure({
    databaseUrl,
    kills: Number(options.kills),
    faultShare: Number(options.faults) / 100,
    seed: options.seed,
    tell: print,
  });
  print(JSON.stringify(figures));
  for (const line of wrong) print(`! ${line}`);
  for (const line of differences) print(`! ${line}`);
  for (const line of conflicts) print(`! conflict: ${line}`);
  for (const line of parked) print(`! left over: ${line}`);
  process.exitCode =
    wrong.length + differences.length + conflicts.length + parked.length === 0 ? 0 : 1;
});
