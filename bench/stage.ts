import { setTimeout as sleep } from 'node:timers/promises';
import { type Postgres, query } from './postgres.ts';
import { type Finished, type Running, runNode, startAndListen, startSilently } from './process.ts';
import { readProcessorMs } from './processor.ts';

/** The compiled program: what users run, not what a loader makes of it. */
export const PROGRAM = 'dist/main.js';

/** What every measurement works with. */
export interface Stage {
  readonly emulator: Emulator;
  readonly postgres: Postgres;
}

export interface EmulatorStats {
  readonly endpoints: Readonly<Record<string, { readonly requests: number }>>;
}

export interface Emulator {
  readonly crm: string;
  readonly url: string;
  readonly apiKey: string;
  readonly workspace: string;
  /** Of Kizen. */
  readonly userId?: string;
  readonly businessId?: string;
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
 * The emulator in a process of its own, as a CRM is in reality. Its rate limit is lifted: what is
 * measured is what this program can do, and the limit is known.
 */
export async function startEmulator(people: number): Promise<Emulator> {
  const companies = Math.min(5_000, Math.ceil(people / 20));
  const emulator = await start('clarify', { people, companies });
  await emulator.act('switches', { ratePerMinute: 1_000_000 });
  return emulator;
}

/** Of a CRM that lists no changes: everything is read anew each time. */
export async function startScannedEmulator(sizes: Sizes): Promise<Emulator> {
  const emulator = await start('attio', sizes);
  const perSecond = 100_000;
  const limits = { readsPerSecond: perSecond, writesPerSecond: perSecond, enriches: false };
  await emulator.act('switches', limits);
  return emulator;
}

/** Of any CRM. */
export async function startWorkspace({
  crm,
  sizes,
  switches,
}: {
  readonly crm: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly switches: Readonly<Record<string, unknown>>;
}): Promise<Emulator> {
  const emulator = await start(crm, sizes);
  await emulator.act('switches', switches);
  return emulator;
}

type Sizes = { readonly people: number } & Readonly<Record<string, number>>;

async function start(crm: string, sizes: Readonly<Record<string, number>>): Promise<Emulator> {
  const counts = Object.entries(sizes).flatMap(([name, count]) => [`--${name}`, String(count)]);
  const { line, pid, stop } = await startAndListen([
    PROGRAM,
    'emulator',
    '--crm',
    crm,
    '--port',
    '0',
    '--json',
    ...counts,
  ]);
  const said: Pick<Emulator, 'url' | 'apiKey' | 'userId' | 'businessId'> & {
    readonly adminUrl: string;
    readonly workspace?: string;
  } = JSON.parse(line);
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
  const processorMs = () => readProcessorMs(pid);
  const { workspace = '' } = said;
  return { ...said, crm, workspace, people: sizes['people'] ?? 0, act, stats, processorMs, stop };
}

/** Runs `work` against a workspace of so many people, and ends the emulator whatever happens. */
export async function withEmulator<T>(
  people: number,
  work: (emulator: Emulator) => Promise<T>,
): Promise<T> {
  return await withStarted(startEmulator(people), work);
}

/** Ends the emulator whatever happens. */
export async function withStarted<T>(
  starting: Promise<Emulator>,
  work: (emulator: Emulator) => Promise<T>,
): Promise<T> {
  const emulator = await starting;
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

/** What leads the program to an emulator and a database. */
export function environment(
  emulator: Pick<Emulator, 'crm' | 'url' | 'apiKey' | 'workspace' | 'userId' | 'businessId'>,
  databaseUrl: string,
): Record<string, string> {
  const { crm, url, apiKey, workspace, userId, businessId } = emulator;
  const prefix = crm.toUpperCase();
  return {
    CLARIFY_SYNC_CRM: crm,
    [`${prefix}_API_URL`]: url,
    [`${prefix}_API_KEY`]: apiKey,
    ...(workspace !== '' && { [`${prefix}_WORKSPACE`]: workspace }),
    ...(userId !== undefined && { [`${prefix}_USER_ID`]: userId }),
    ...(businessId !== undefined && { [`${prefix}_BUSINESS_ID`]: businessId }),
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
export async function startService(
  emulator: Emulator,
  databaseUrl: string,
  program = PROGRAM,
): Promise<Running> {
  const service = startSilently([program, 'run'], environment(emulator, databaseUrl));
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
  schema = 'clarify',
): Promise<{ readonly seconds: number; readonly counts: Readonly<Record<string, number>> }> {
  const [row] = await query(
    databaseUrl,
    `SELECT extract(epoch FROM finished_at - started_at)::float8 AS seconds, counts, state
       FROM ${schema}_sync.run WHERE kind = $1 AND state <> 'running' ORDER BY id DESC LIMIT 1`,
    [kind],
  );
  if (row?.['state'] !== 'ok') throw new Error(`the ${kind} was not ok: ${JSON.stringify(row)}`);
  return row as { seconds: number; counts: Record<string, number> } & typeof row;
}
