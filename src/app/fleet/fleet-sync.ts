import PQueue from 'p-queue';
import { SyncError } from '../../domain/errors.ts';
import { createDecisionWatch, type DecisionWatch } from '../daemon/decision-watch.ts';
import { type Logger, logFor } from '../log.ts';
import { createService } from '../service.ts';
import { readStatus } from '../status.ts';
import type { FleetEvents, FleetOptions, FleetSync, FleetSyncStatus } from '../sync.ts';
import { createEventHub, type EventHub } from '../sync-events.ts';
import { fleetFromOptions } from './options.ts';
import { type RunningFleet, startFleet } from './start-fleet.ts';
import { stateOf } from './status.ts';
import type { WorkWatcher } from './work.ts';
import type { FleetWorkspace } from './workspace.ts';

/** Workspaces that are asked at the same time: their connections are there for the work. */
const AT_ONCE = 4;

/** The service of a fleet for a program that embeds it. */
export function createFleetSync(options: FleetOptions): FleetSync {
  const { log: given, ...first } = options;
  const log = logFor(given);
  const events = createEventHub<FleetEvents>(log);
  let settings = first;
  let stopping = new AbortController();
  let running: RunningFleet | null = null;

  const service = createService(async () => {
    const { signal } = stopping;
    signal.throwIfAborted();
    const config = await fleetFromOptions(settings);
    const started = await startFleet(config, { log, watcher: watcherOf(events, log) });
    if (signal.aborted) {
      await started.stop();
      signal.throwIfAborted();
    }
    running = started;
    return async () => {
      running = null;
      await started.stop();
    };
  });

  return {
    async start() {
      if (stopping.signal.aborted) stopping = new AbortController();
      await service.start();
    },
    async stop() {
      stopping.abort();
      await service.stop();
    },
    async change({ database, workspaces }) {
      const next = { ...settings, database, workspaces };
      const config = await fleetFromOptions(next);
      await running?.change(config);
      settings = next;
    },
    on: events.on,
    async status() {
      if (running === null) throw new Error('the sync does not run');
      const queue = new PQueue({ concurrency: AT_ONCE });
      const workspaces = running.fleet.workspaces();
      return { workspaces: await queue.addAll(workspaces.map((one) => () => standingOf(one))) };
    },
    get statusUrl() {
      return running?.statusUrl ?? null;
    },
  };
}

async function standingOf(
  workspace: FleetWorkspace,
): Promise<FleetSyncStatus['workspaces'][number]> {
  const { name, db } = workspace;
  const state = stateOf(workspace);
  const broken = state.kind === 'broken' ? { code: state.code, message: state.message } : null;
  try {
    const { objects, leader } = await readStatus(db);
    return { name, state: state.kind, error: broken, objects, leader };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    const { code, message } = error;
    // Its tables are not there before it has worked once.
    const said = state.kind === 'starting' ? null : (broken ?? { code, message });
    return { name, state: state.kind, error: said, objects: [], leader: null };
  }
}

function watcherOf(events: EventHub<FleetEvents>, log: Logger): WorkWatcher {
  const watches = new Map<string, DecisionWatch>();
  const look = (workspace: string) => {
    watches
      .get(workspace)
      ?.look()
      .catch((error: unknown) => log.debug({ err: error, workspace }, 'decisions not read'));
  };
  return {
    async onServing(workspace, { db }, serving) {
      watches.delete(workspace);
      events.emit('leading', { workspace, leads: serving !== null });
      if (serving === null) return;
      const watch = await createDecisionWatch(db, {
        onConflict: (conflict) => events.emit('conflict', { ...conflict, workspace }),
        onParked: (change) => events.emit('parked', { ...change, workspace }),
      });
      watches.set(workspace, watch);
    },
    onRun(workspace, run) {
      events.emit('pulled', { ...run, workspace });
      look(workspace);
    },
    onPushed(workspace, counts) {
      events.emit('pushed', { ...counts, workspace });
      look(workspace);
    },
    onFailed: (workspace, error) => events.emit('error', { workspace, error }),
  };
}
