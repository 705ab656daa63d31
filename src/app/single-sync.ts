import { configFromOptions } from './config/options.ts';
import { runDaemon } from './daemon/daemon.ts';
import { createDecisionWatch } from './daemon/decision-watch.ts';
import { logFor } from './log.ts';
import { createService } from './service.ts';
import { openSession, type Session } from './session.ts';
import { readStatus } from './status.ts';
import type { Sync, SyncEvents, SyncOptions } from './sync.ts';
import { createEventHub } from './sync-events.ts';

/** The service of one workspace for a program that embeds it. */
export function createSingleSync(options: SyncOptions): Sync {
  const { log: given, ...settings } = options;
  const log = logFor(given);
  const events = createEventHub<SyncEvents>(log);
  let stopping = new AbortController();
  let running: { readonly session: Session; readonly statusUrl: string | null } | null = null;

  const service = createService(async () => {
    const { signal } = stopping;
    signal.throwIfAborted();
    const config = await configFromOptions(settings);
    const session = await openSession(config, { log, signal }, { outlasts: true });
    const daemon = await begin(session, signal).catch(async (error: unknown) => {
      await session.stop();
      throw error;
    });
    running = { session, statusUrl: daemon.statusUrl };
    daemon.ended.catch((error: unknown) => {
      log.error({ err: error }, 'stopped');
      events.emit('error', error);
      sync.stop().catch((cause: unknown) => log.error({ err: cause }, 'not stopped cleanly'));
    });
    return async () => {
      running = null;
      await daemon.ended.catch(() => {});
      await session.stop();
    };
  });

  async function begin(session: Session, signal: AbortSignal) {
    const { name: workspace } = session.config;
    const watch = await createDecisionWatch(session.db, {
      onConflict: (conflict) => events.emit('conflict', { ...conflict, workspace }),
      onParked: (change) => events.emit('parked', { ...change, workspace }),
    });
    const look = () => {
      watch.look().catch((error: unknown) => log.debug({ err: error }, 'decisions not read'));
    };
    let onReady = (_statusUrl: string | null) => {};
    const ready = new Promise<string | null>((resolve) => {
      onReady = resolve;
    });
    const ended = runDaemon(session, {
      signal,
      onReady,
      onRun(run) {
        events.emit('pulled', { ...run, workspace });
        look();
      },
      onPushed(counts) {
        events.emit('pushed', { ...counts, workspace });
        look();
      },
      onLeading: (leads) => events.emit('leading', leads),
    });
    const statusUrl = await Promise.race([ready, ended.then(() => signal.throwIfAborted())]);
    return { statusUrl: statusUrl ?? null, ended };
  }

  const sync: Sync = {
    async start() {
      if (stopping.signal.aborted) stopping = new AbortController();
      await service.start();
    },
    async stop() {
      stopping.abort();
      await service.stop();
    },
    on: events.on,
    async status() {
      if (running === null) throw new Error('the sync does not run');
      return await readStatus(running.session.db);
    },
    get statusUrl() {
      return running?.statusUrl ?? null;
    },
  };
  return sync;
}
