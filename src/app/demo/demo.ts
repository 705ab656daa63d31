import { type Database, openDatabase } from '../../db/connection/database.ts';
import { readHook } from '../../db/service/hook.ts';
import { variablesFor } from '../../emulator/emulators.ts';
import type { DemoScript } from '../../emulator/kernel/demo-script.ts';
import type { DemoRoom, Emulated, EmulatedDemo } from '../../emulator/kernel/room.ts';
import type { RequestEvent } from '../../emulator/kernel/stats.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { runDaemon } from '../daemon/daemon.ts';
import type { Logger } from '../log.ts';
import { type ObjectRun, pullAll } from '../pull-all.ts';
import { openSession, type Session } from '../session.ts';
import { startDemoDatabase } from './database.ts';
import { freePort } from './free-port.ts';
import { groundOf } from './waiting.ts';

export interface DemoOptions {
  /** Whose workspace it is. */
  readonly room: DemoRoom;
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
  readonly emulator: Emulated;
  readonly script: DemoScript;
  /** The CRM, as people name it. */
  readonly title: string;
  /** Names of the variables that lead to a workspace of one's own. */
  readonly needed: readonly string[];
  /** A user's own connection: no writer's rights, no knowledge of the sync. */
  readonly sql: Database;
  readonly databaseUrl: string;
  /** Rejects where the service ends by itself. */
  readonly running: Promise<void>;
  /** Drains, then leaves neither process nor port nor file. Safe to call twice. */
  stop(): Promise<void>;
}

/** Every second: a demo is for watching. */
const EVERY_SECOND = '* * * * * *';

/** Starts a workspace, a database and the service that keeps them in step. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const { room, log, signal, say, onRequest } = options;
  const releases: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= (async () => {
      for (const release of releases.toReversed()) await release();
    })();
    return stopping;
  };
  try {
    const { emulated, records, script } = await room.startDemo({ onRequest });
    releases.push(emulated.stop);
    say(`${`${room.title} (emulated)`.padEnd(19)} ${emulated.url}, ${records} records`);

    const postgres = await startDemoDatabase();
    releases.push(postgres.stop);
    say(`Postgres (embedded) ${withoutPassword(postgres.url)}`);

    const config = await demoConfig(options, { emulated, script }, postgres.url);
    const session = await openSession(config, { log, signal });
    releases.push(session.stop);
    await fill(session, options);

    const sql = openDatabase({ url: postgres.url, applicationName: 'analyst', log });
    releases.push(sql.close);
    const { running, statusUrl, drain } = await startService(session, options);
    releases.push(drain);
    // What is edited before that is found as well, but not while people watch.
    const { until } = groundOf(sql, signal);
    if (script.calls === true) await until(() => readHook(session.db));
    say(`Status page         ${statusUrl}`);
    return {
      emulator: emulated,
      script,
      title: room.title,
      needed: Object.keys(variablesFor(room, emulated)).filter((name) => !name.endsWith('_URL')),
      sql,
      databaseUrl: postgres.url,
      running,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Built from variables like everyone's, only not from those of the process. */
async function demoConfig(
  { room }: DemoOptions,
  { emulated, script }: Pick<EmulatedDemo, 'emulated' | 'script'>,
  databaseUrl: string,
): Promise<Config> {
  const objects = script.objects.map((object) => {
    const settings = { pull: EVERY_SECOND, ...script.settings?.[object] };
    return `  ${object}: ${JSON.stringify(settings)}`;
  });
  // Whoever is to call has to be told where before anybody listens.
  const status = `127.0.0.1:${script.calls === true ? await freePort() : 0}`;
  return await loadConfig({
    env: {
      ...variablesFor(room, emulated),
      DATABASE_URL: databaseUrl,
      CLARIFY_SYNC_PUSH: 'on',
      CLARIFY_SYNC_HTTP: status,
      ...(script.calls === true && { CLARIFY_SYNC_PUBLIC_URL: `http://${status}` }),
      CLARIFY_SYNC_CONFIG: 'demo.yaml',
    },
    readText: async () =>
      ['objects:', ...objects, `exclude: [${script.exclude.join(', ')}]`].join('\n'),
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
