import { startEmbeddedPostgres } from '../embedded-postgres/embedded-postgres.ts';
import type { Logger } from '../log.ts';
import { EMBEDDED_FOLDER } from '../open-database.ts';
import type { FleetConfig } from './file.ts';
import { Fleet } from './fleet.ts';
import { checkSchemas } from './preflight.ts';
import { createFleetStatus } from './status.ts';
import { createWork, type WorkWatcher } from './work.ts';

/** All workspaces of a file, served by this process together with every other of the same fleet. */
export interface RunningFleet {
  readonly fleet: Fleet;
  /** Null where the status server is off. */
  readonly statusUrl: string | null;
  /**
   * Goes on with another file: workspaces come, go and change, the others are left alone.
   * @throws UsageError where it asks for schemas that are not ours; nothing has changed then.
   */
  change(config: FleetConfig): Promise<void>;
  /** Drains, and hands every workspace over. */
  stop(): Promise<void>;
}

export interface StartFleetOptions {
  readonly log: Logger;
  /** Is told of everything that is done. */
  readonly watcher?: WorkWatcher;
}

/**
 * @throws UsageError where the file asks for schemas that are not ours; nothing was made then.
 * SyncError where the status server cannot listen. Nothing is left running.
 */
export async function startFleet(
  config: FleetConfig,
  { log, watcher = {} }: StartFleetOptions,
): Promise<RunningFleet> {
  const needsOwn = config.workspaces.some((entry) => entry.config.database === null);
  const embedded = needsOwn ? await startEmbeddedPostgres({ dir: EMBEDDED_FOLDER }) : null;
  const embeddedUrl = embedded?.url ?? null;
  const watchers = [watcher];
  const all = tellAll(watchers);
  const fleet = new Fleet({
    log,
    workIn: (group, holder) => createWork(group, { holder, watcher: all }),
    onFailed: (name, error) => all.onFailed?.(name, error),
    embedded: embeddedUrl === null ? null : { url: embeddedUrl, directUrl: embeddedUrl },
    onBug: (error) => log.error({ err: error }, 'a bug of the fleet itself: it goes on'),
  });
  const { http } = config.process;
  const status = http === null ? null : await createFleetStatus(fleet, { http, log });
  if (status !== null) watchers.push(status.watcher);
  const change = async (next: FleetConfig) => {
    await checkSchemas(next, { embeddedUrl, log });
    await fleet.follow(next);
  };
  const stop = async () => {
    await fleet.stop();
    await status?.server.stop();
    await embedded?.stop();
  };
  try {
    // First: where the port is taken, nothing else is to have begun.
    const statusUrl = (await status?.server.start()) ?? null;
    await change(config);
    return { fleet, statusUrl, change, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function tellAll(watchers: readonly WorkWatcher[]): WorkWatcher {
  return {
    async onServing(...told) {
      for (const one of watchers) await one.onServing?.(...told);
    },
    onRun(...told) {
      for (const one of watchers) one.onRun?.(...told);
    },
    onPushed(...told) {
      for (const one of watchers) one.onPushed?.(...told);
    },
    onFailed(...told) {
      for (const one of watchers) one.onFailed?.(...told);
    },
  };
}
