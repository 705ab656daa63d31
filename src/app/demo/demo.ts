import { type Database, openDatabase } from '../../db/database.ts';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import type { RequestEvent } from '../../emulator/stats.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { runDaemon } from '../daemon/daemon.ts';
import type { Logger } from '../log.ts';
import { type ObjectRun, pullAll } from '../pull-all.ts';
import { openSession, type Session } from '../session.ts';
import { startDemoDatabase } from './database.ts';

export interface DemoOptions {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Told what happens while everything starts, one line each. */
  readonly say: (line: string) => void;
  /** Told of everything the emulated workspace was asked. */
  readonly onRequest?: (event: RequestEvent) => void;
  /** Told of every pull. */
  readonly onRun?: (run: ObjectRun) => void;
}

/** Both sides and the service between them, all in this process but Postgres. */
export interface Demo {
  readonly emulator: Emulator;
  /** A user's own connection: no writer's rights, no knowledge of the sync. */
  readonly sql: Database;
  readonly databaseUrl: string;
  /** Rejects where the service ends by itself. */
  readonly running: Promise<void>;
  /** Drains, then leaves neither process nor port nor file. Safe to call twice. */
  stop(): Promise<void>;
}

const SIZES = { company: 150, person: 500, deal: 200 };
/** Every second: a demo is for watching. */
const EVERY_SECOND = '* * * * * *';
const OBJECTS = [
  'c_project',
  'company',
  'deal',
  'meeting',
  'meeting_recording',
  'message',
  'person',
  'task',
];

/** Starts a workspace, a database and the service that keeps them in step. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const { log, signal, say } = options;
  const releases: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= (async () => {
      for (const release of releases.toReversed()) await release();
    })();
    return stopping;
  };
  try {
    const emulator = await startEmulator({ sizes: SIZES, onRequest: options.onRequest });
    releases.push(emulator.stop);
    const records = emulator.store.objects().map((object) => emulator.store.count(object));
    say(`Clarify (emulated)  ${emulator.url}, ${sum(records)} records`);

    const postgres = await startDemoDatabase();
    releases.push(postgres.stop);
    say(`Postgres (embedded) ${withoutPassword(postgres.url)}`);

    const config = await demoConfig(emulator, postgres.url);
    const session = await openSession(config, { log, signal });
    releases.push(session.stop);
    await fill(session, options);

    const sql = openDatabase({ url: postgres.url, applicationName: 'analyst', log });
    releases.push(sql.close);
    const { running, statusUrl, drain } = await startService(session, options);
    releases.push(drain);
    say(`Status page         ${statusUrl}`);
    return { emulator, sql, databaseUrl: postgres.url, running, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Built from variables like everyone's, only not from those of the process. */
async function demoConfig(emulator: Emulator, databaseUrl: string): Promise<Config> {
  const objects = OBJECTS.map((object) => `  ${object}: { pull: "${EVERY_SECOND}" }`);
  return await loadConfig({
    env: {
      CLARIFY_API_URL: emulator.url,
      CLARIFY_API_KEY: emulator.apiKey,
      CLARIFY_WORKSPACE: emulator.workspace,
      DATABASE_URL: databaseUrl,
      CLARIFY_SYNC_PUSH: 'on',
      CLARIFY_SYNC_HTTP: '127.0.0.1:0',
      CLARIFY_SYNC_CONFIG: 'demo.yaml',
    },
    readText: async () => ['objects:', ...objects, 'exclude: [playbook]'].join('\n'),
  });
}

async function fill(session: Session, { signal, say }: DemoOptions): Promise<void> {
  const startedMs = performance.now();
  const runs = await pullAll(session, { signal, priority: 'pull' });
  signal.throwIfAborted();
  const rows = sum(runs.map(({ counts }) => counts['inserted'] ?? 0));
  say(`First sync          ${rows} rows in ${runs.length} tables, ${since(startedMs)} ms`);
}

async function startService(
  session: Session,
  { signal, onRun }: DemoOptions,
): Promise<{
  readonly running: Promise<void>;
  readonly statusUrl: string | null;
  drain(): Promise<void>;
}> {
  const draining = new AbortController();
  let onReady = (_statusUrl: string | null) => {};
  const ready = new Promise<string | null>((resolve) => {
    onReady = resolve;
  });
  const running = runDaemon(session, {
    signal: AbortSignal.any([signal, draining.signal]),
    onReady,
    ...(onRun && { onRun }),
  });
  // Whoever awaits `running` hears of it; until then it must not end the process.
  running.catch(() => {});
  const statusUrl = (await Promise.race([ready, running])) ?? null;
  return {
    running,
    statusUrl,
    async drain() {
      draining.abort();
      await running.catch(() => {});
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

export function since(startedMs: number): number {
  return Math.round(performance.now() - startedMs);
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}
