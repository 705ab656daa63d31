import { setTimeout as sleep } from 'node:timers/promises';
import { type Postgres, query } from './postgres.ts';
import { type Finished, type Running, runNode, startAndListen, startSilently } from './process.ts';
import { readProcessorMs } from './processor.ts';

/** The compiled program: what users run, not what a loader makes of it. */
const PROGRAM = 'dist/main.js';

/** What every measurement works with. */
export interface Stage {
  readonly emulator: Emulator;
  readonly postgres: Postgres;
}

export interface EmulatorStats {
  readonly endpoints: Readonly<Record<string, { readonly requests: number }>>;
}

export interface Emulator {
  readonly url: string;
  readonly apiKey: string;
  readonly workspace: string;
  /** People in it. */
  readonly people: number;
  /** `POST /_emulator/<name>` */
  act(name: string, body: unknown): Promise<unknown>;
  stats(): Promise<EmulatorStats>;
  /** Processor time so far; null where this machine does not tell. */
  processorMs(): Promise<number | null>;
  stop(): Promise<void>;
}

/**
 * The emulator in a process of its own, as Clarify is in reality. Its rate limit is lifted: what
 * is measured is what this program can do, and the limit is known.
 */
export async function startEmulator(people: number): Promise<Emulator> {
  const companies = String(Math.min(5_000, Math.ceil(people / 20)));
  const sizes = ['--people', String(people), '--companies', companies];
  const { line, pid, stop } = await startAndListen([
    PROGRAM,
    'emulator',
    '--port',
    '0',
    '--json',
    ...sizes,
  ]);
  const said: { url: string; adminUrl: string; apiKey: string; workspace: string } =
    JSON.parse(line);
  const act = async (name: string, body: unknown) => {
    const response = await fetch(`${said.adminUrl}/${name}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
    return await response.json();
  };
  const stats = async (): Promise<EmulatorStats> =>
    JSON.parse(await (await fetch(`${said.adminUrl}/stats`)).text());
  await act('switches', { ratePerMinute: 1_000_000 });
  return { ...said, people, act, stats, processorMs: () => readProcessorMs(pid), stop };
}

/** Runs `work` against a workspace of so many people, and ends the emulator whatever happens. */
export async function withEmulator<T>(
  people: number,
  work: (emulator: Emulator) => Promise<T>,
): Promise<T> {
  const emulator = await startEmulator(people);
  try {
    return await work(emulator);
  } finally {
    await emulator.stop();
  }
}

/** Runs `work` with a new database, and drops it whatever happens. */
export async function withDatabase<T>(
  postgres: Postgres,
  work: (databaseUrl: string) => Promise<T>,
): Promise<T> {
  const database = await postgres.createDatabase();
  try {
    return await work(database.url);
  } finally {
    await database.drop();
  }
}

function environment(emulator: Emulator, databaseUrl: string): Record<string, string> {
  return {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_API_KEY: emulator.apiKey,
    CLARIFY_WORKSPACE: emulator.workspace,
    CLARIFY_SYNC_PUSH: 'on',
    CLARIFY_SYNC_HTTP: 'off',
    DATABASE_URL: databaseUrl,
  };
}

/** Runs a command of the program against an emulator and a database. */
export async function runProgram(
  emulator: Emulator,
  databaseUrl: string,
  args: readonly string[],
): Promise<Finished> {
  return await runNode([PROGRAM, ...args, '--json'], environment(emulator, databaseUrl));
}

const READY_MS = 60_000;

/** Starts the service, and returns once it leads. */
export async function startService(emulator: Emulator, databaseUrl: string): Promise<Running> {
  const service = startSilently([PROGRAM, 'run'], environment(emulator, databaseUrl));
  try {
    await waitUntil('the service leads', READY_MS, async () => {
      const leases = await query(
        databaseUrl,
        'SELECT FROM clarify_sync.lease WHERE holder IS NOT NULL AND expires_at > now()',
      );
      return leases.length > 0;
    });
  } catch (error) {
    await service.stop();
    throw error;
  }
  return service;
}

const POLL_MS = 50;

/** @throws where it does not come true within `limitMs`. */
export async function waitUntil(
  what: string,
  limitMs: number,
  isTrue: () => Promise<boolean>,
): Promise<void> {
  const startedMs = performance.now();
  while (!(await isTrue())) {
    if (performance.now() - startedMs > limitMs) throw new Error(`in vain waited until ${what}`);
    await sleep(POLL_MS);
  }
}

/** The last run of a kind, from the run log. */
export async function lastRun(
  databaseUrl: string,
  kind: string,
): Promise<{ readonly seconds: number; readonly counts: Readonly<Record<string, number>> }> {
  const [row] = await query(
    databaseUrl,
    `SELECT extract(epoch FROM finished_at - started_at)::float8 AS seconds, counts, state
       FROM clarify_sync.run WHERE kind = $1 ORDER BY id DESC LIMIT 1`,
    [kind],
  );
  if (row?.['state'] !== 'ok') throw new Error(`the ${kind} was not ok: ${JSON.stringify(row)}`);
  return row as { seconds: number; counts: Record<string, number> } & typeof row;
}
