import { parseArgs } from 'node:util';
import { meddle } from './meddle.ts';
import { anySeed, inOwnDatabase } from './own-database.ts';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: anySeed() },
  },
});

const print = (line: string) => process.stdout.write(`${line}\n`);

await inOwnDatabase(async (databaseUrl) => {
  print(`seed ${options.seed}`);
  const { stopped, differences, left, ...figures } = await meddle({
    databaseUrl,
    minutes: Number(options.minutes),
    seed: options.seed,
    tell: print,
  });
  print(JSON.stringify(figures));
  for (const line of differences) print(`! ${line}`);
  for (const line of left) print(`! left over: ${line}`);
  process.exitCode = stopped.length + differences.length + left.length === 0 ? 0 : 1;
});
