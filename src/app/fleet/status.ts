import { packageVersion } from '../../crm/wire/user-agent.ts';
import { notify } from '../../db/connection/listener.ts';
import type { FleetServer } from '../../http/fleet-server.ts';
import type { HookReceiver } from '../../http/hook-route.ts';
import type { WorkspaceSource, WorkspaceState } from '../../http/status-source.ts';
import type { Config } from '../config/config.ts';
import { describeAccess } from '../config/config.ts';
import type { ProcessSettings } from '../config/environment.ts';
import { readsBeside } from '../config/objects.ts';
import type { Serving } from '../daemon/serving.ts';
import { decidedOn, receiverOf } from '../daemon/status.ts';
import type { Logger } from '../log.ts';
import type { Session } from '../session.ts';
import type { Fleet } from './fleet.ts';
import type { WorkWatcher } from './work.ts';
import type { FleetWorkspace } from './workspace.ts';

export interface FleetStatusOptions {
  readonly http: NonNullable<ProcessSettings['http']>;
  readonly log: Logger;
}

/** What a workspace is served by while this process leads it. */
interface Led {
  readonly session: Session;
  readonly serving: Serving;
  readonly deaf: () => void;
}

/** The status server of one process of a fleet, and how it hears of what is done. */
export async function createFleetStatus(
  fleet: Pick<Fleet, 'holder' | 'workspaces'>,
  { http, log }: FleetStatusOptions,
): Promise<{ readonly server: FleetServer; readonly watcher: WorkWatcher }> {
  const version = packageVersion();
  const led = new Map<string, Led>();
  const sources = new WeakMap<FleetWorkspace, WorkspaceSource>();
  const sourceOf = (workspace: FleetWorkspace) => {
    const source = sources.get(workspace) ?? createSource(workspace, { version, led });
    sources.set(workspace, source);
    return source;
  };
  const workspaces = () => fleet.workspaces().map(sourceOf);
  // Late: where it is off none of it is in memory.
  const { createFleetServer } = await import('../../http/fleet-server.ts');
  const server = createFleetServer({ log, version, holder: fleet.holder, workspaces }, http);
  return {
    server,
    watcher: {
      onServing(name, session, serving) {
        led.get(name)?.deaf();
        led.delete(name);
        if (serving === null) return;
        const deaf = session.traffic.watch(server.notes(name).noteRequest);
        led.set(name, { session, serving, deaf });
      },
      onRun(name, { object, counts }) {
        const { inserted = 0, updated = 0, removed = 0 } = counts;
        server.notes(name).notePull(object, { inserted, updated, removed });
      },
      onPushed: (name, counts) => server.notes(name).notePush(counts),
    },
  };
}

/** Its configuration may change while it stays what it is, so that everything is asked for anew. */
function createSource(
  workspace: FleetWorkspace,
  { version, led }: { readonly version: string; readonly led: ReadonlyMap<string, Led> },
): WorkspaceSource {
  const { db, log, name } = workspace;
  let receiver: { readonly config: Config; readonly of: HookReceiver | null } | null = null;
  return {
    get hooks() {
      const { config } = workspace;
      if (receiver?.config !== config) receiver = { config, of: receiverOf({ db, log, config }) };
      return receiver.of;
    },
    db,
    log,
    name,
    version,
    get crm() {
      return workspace.config.crm.title;
    },
    get database() {
      return workspace.config.database?.url ?? null;
    },
    get workspace() {
      return led.get(name)?.session.installation.workspace ?? name;
    },
    get access() {
      return describeAccess(workspace.config.access);
    },
    get push() {
      return workspace.config.push && (led.get(name)?.session.installation.adopted ?? true);
    },
    state: () => stateOf(workspace),
    leads: () => workspace.hold.epoch !== null,
    readsBeside: (table, object) => readsBeside(workspace.config, table, object),
    nextRun: (object) => led.get(name)?.serving.nextRun(object) ?? null,
    nudge(object) {
      const serving = led.get(name)?.serving;
      if (serving !== undefined) return serving.nudge(object);
      // Which of several processes is called is up to whoever stands before them; the leader pulls.
      notify(db, 'nudge', object ?? '').catch((error: unknown) =>
        log.debug({ err: error }, 'nudge not passed on'),
      );
    },
    endpoints: () => led.get(name)?.session.traffic.stats() ?? [],
    watchRequests: () => () => {},
    ...decidedOn(db, (work) => workspace.use(work)),
  };
}

/** How far it is, for whoever asks from outside. */
export function stateOf(workspace: FleetWorkspace): WorkspaceState {
  const { state } = workspace;
  switch (state.kind) {
    case 'broken':
      return state;
    case 'standing-by':
      return { kind: 'standing-by' };
    // It may hold the lease by now, and its tables are not all there.
    case 'preparing':
    case 'opening':
      return { kind: 'starting' };
    case 'leading':
    case 'leaving':
      return { kind: workspace.hold.epoch === null ? 'standing-by' : 'leading' };
  }
}
