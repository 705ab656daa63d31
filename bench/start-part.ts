import { spawnSync } from 'node:child_process';
import { atMost, median, show } from './figures.ts';
import type { Told } from './parts.ts';
import type { Postgres } from './postgres.ts';
import { runNode } from './process.ts';
import { environment, PROGRAM, withDatabase, withEmulator } from './stage.ts';

interface Command {
  readonly line: string;
  /** Times bare Node. */
  readonly most: number;
}

/** A tab press runs nothing: what `completion` prints, once a shell, completes by itself. */
const COMMANDS: readonly Command[] = [
  { line: '--help', most: 2 },
  { line: 'completion bash', most: 2 },
  { line: 'status', most: 4 },
  { line: 'outbox list', most: 4 },
];
const PEOPLE = 100;
const ROUNDS = 15;

/** What is left for a person is no failure. */
const GOOD_CODES: readonly (number | null)[] = [0, 3];

/** From start to end of a command, beside Node that runs nothing, in turns. */
export async function startPart(postgres: Postgres, { tell }: Told): Promise<void> {
  await withEmulator(PEOPLE, (emulator) =>
    withDatabase(postgres, async (databaseUrl) => {
      const env = environment(emulator, databaseUrl);
      await runNode([PROGRAM, 'sync', '--json'], env);
      const took = new Map(COMMANDS.map(({ line }) => [line, new Array<number>()]));
      const bare: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        bare.push(timeNode(['--eval', '0'], env));
        for (const [line, ms] of took) ms.push(timeNode([PROGRAM, ...line.split(' ')], env));
      }
      const bareMs = median(bare);
      for (const { line, most } of COMMANDS) {
        const ms = took.get(line) ?? [];
        tell({
          name: `\`${line}\`, to bare Node`,
          value: median(ms) / bareMs,
          unit: 'times',
          limit: atMost(most),
          note: `${show(median(ms))} ms beside ${show(bareMs)}, medians of ${ROUNDS}; at best ${show(Math.min(...ms))} beside ${show(Math.min(...bare))}`,
        });
      }
    }),
  );
}

/** Milliseconds until it has ended. @throws where it fails. */
function timeNode(args: readonly string[], env: Readonly<Record<string, string>>): number {
  const startedMs = performance.now();
  const { status } = spawnSync(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const tookMs = performance.now() - startedMs;
  if (!GOOD_CODES.includes(status)) throw new Error(`node ${args.join(' ')} ended with ${status}`);
  return tookMs;
}
