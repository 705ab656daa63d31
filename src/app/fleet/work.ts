import { createSpareBuffers } from '../../crm/wire/spare-buffers.ts';
import type { Database } from '../../db/connection/database.ts';
import { isInstalled, migrateControl } from '../../db/migrate.ts';
import { readInstallationFacts } from '../../db/service/health.ts';
import { ensureInstallation } from '../../db/service/installation.ts';
import type { PushedCounts } from '../../http/metrics.ts';
import { type Config, schemasFor } from '../config/config.ts';
import { createServing, type Serving } from '../daemon/serving.ts';
import type { Logger } from '../log.ts';
import { openRemote } from '../open-remote.ts';
import type { ObjectRun } from '../pull-all.ts';
import { openSession, type Session } from '../session.ts';
import type { DatabaseGroup } from './database-group.ts';
import type { WorkspaceWork } from './workspace.ts';

/** Who wants to know what is done. */
export interface WorkWatcher {
  /** Told what a workspace is led by here, before it begins; null once it is not. */
  onServing?(name: string, session: Session, serving: Serving | null): void | Promise<void>;
  onRun?(name: string, run: ObjectRun): void;
  onPushed?(name: string, counts: PushedCounts): void;
  /** Told when a workspace stops alone, once for each reason. */
  onFailed?(name: string, error: unknown): void;
}

/** How a workspace of a fleet is prepared, opened and served, on connections that all share. */
export function createWork(
  group: DatabaseGroup,
  { holder, watcher }: { readonly holder: string; readonly watcher: WorkWatcher },
): WorkspaceWork {
  const inTurn = async <T>(signal: AbortSignal, work: () => Promise<T>) =>
    await group.turns.add(async () => {
      signal.throwIfAborted();
      return await work();
    });
  const buffers = createSpareBuffers();
  return {
    async prepare(config, log, signal) {
      const db = group.bind(schemasFor(config));
      const crm = config.crm.name;
      const isKnown = await inTurn(signal, () => isSomebodys(db));
      // A wrong key leaves nothing behind.
      const workspace = isKnown ? await workspaceOf(config, log) : await prove(config, log, signal);
      await inTurn(signal, async () => {
        await migrateControl(db, { owner: { crm, workspace } });
        if (isKnown || workspace === null) return;
        // At once: whoever was given the same schema, in another file or by another address of the
        // database, would else stand by for what it takes to be its own.
        await ensureInstallation(db, { crm, workspace, push: config.push });
      });
    },
    async prove(config, log, signal) {
      await prove(config, log, signal);
    },
    async open(config, log, signal) {
      // Migrated when it was prepared; whose it is, the session looks first.
      const open = async () => {
        const db = group.bind(schemasFor(config));
        const { url } = group.address;
        return { db, databaseUrl: url, embedded: false, stop: () => db.close() };
      };
      const options = {
        outlasts: true,
        holder,
        open,
        inTurn: <T>(work: () => Promise<T>) => inTurn(signal, work),
      };
      return await openSession(config, { log, signal, buffers }, options);
    },
    async serve(session, { lease, signal, calm, onReady }) {
      const { name } = session.config;
      const serving = createServing(session, {
        lease,
        signal,
        listener: group.listener,
        calm,
        onRun: (run) => watcher.onRun?.(name, run),
        onPushed: (counts) => watcher.onPushed?.(name, counts),
      });
      try {
        await watcher.onServing?.(name, session, serving);
        await serving.run(() => {
          onReady();
          const { config, tables, log } = session;
          log.info({ push: config.push, objects: tables.length }, 'running');
        });
      } finally {
        await watcher.onServing?.(name, session, null);
      }
    },
  };
}

/** Whether it is on record whom the schemas belong to. */
async function isSomebodys(db: Database): Promise<boolean> {
  return (await isInstalled(db)) && (await readInstallationFacts(db)) !== null;
}

/** What the settings tell of it; null where the CRM alone knows. */
async function workspaceOf(config: Config, log: Logger): Promise<string | null> {
  const remote = await openRemote(config, log);
  const { workspace } = remote;
  await remote.stop();
  return workspace;
}

/** @returns the workspace that was reached. */
async function prove(config: Config, log: Logger, signal: AbortSignal): Promise<string | null> {
  const remote = await openRemote(config, log);
  try {
    await remote.discover({ priority: 'pull', signal });
    return remote.workspace;
  } finally {
    await remote.stop();
  }
}
