import { packageVersion } from '../../clarify/user-agent.ts';
import { approveDeletes } from '../../db/outbox/delete-guard.ts';
import { retryEntries } from '../../db/outbox/review.ts';
import { createStatusServer, type StatusServer } from '../../http/status-server.ts';
import type { Actions, NextRun } from '../../http/status-source.ts';
import { discardChange } from '../decisions/discard-change.ts';
import { resolveConflict } from '../decisions/resolve-conflict.ts';
import { accessKind, describeAccess } from '../open-remote.ts';
import type { Session } from '../session.ts';

export interface DaemonFacts {
  leads(): boolean;
  nextRun(object: string): NextRun | null;
  nudge(object: string | null): void;
}

/** The status server of a daemon; null where it is off. */
export function createDaemonStatus(session: Session, facts: DaemonFacts): StatusServer | null {
  const { config, db, log, traffic } = session;
  if (config.http === null) return null;
  return createStatusServer(
    {
      db,
      log,
      workspace: config.clarify.workspace ?? '',
      version: packageVersion(),
      access: describeAccess(accessKind(config)),
      push: config.push && session.installation.adopted,
      leads: facts.leads,
      nextRun: facts.nextRun,
      nudge: facts.nudge,
      endpoints: () => traffic.stats(),
      watchRequests: (listener) => traffic.watch(listener),
      async readRemote(object, recordId) {
        const table = session.tables.find((known) => known.object === object);
        if (table === undefined || recordId.startsWith('local:')) return null;
        const options = { priority: 'push', signal: AbortSignal.timeout(DECISION_MS) } as const;
        const request = { object: table.schema, id: recordId };
        return (await session.remote.readRecord(request, options))?.fields ?? null;
      },
      actions: actionsOf(session),
    },
    config.http,
  );
}

/** What is asked of Clarify for a decision is given up after this long: somebody waits for it. */
const DECISION_MS = 20_000;

function actionsOf(session: Session): Actions {
  const signal = () => AbortSignal.timeout(DECISION_MS);
  return {
    async retry(entry) {
      const retried = await retryEntries(session.db, [entry]);
      return retried.length > 0 ? 'due again' : 'not waiting any more, or waits for a decision';
    },
    discard: async (entry) => await discardChange(session, entry, signal()),
    async approve(entry) {
      const approved = await approveDeletes(session.db, [entry]);
      return approved.length > 0 ? 'approved' : 'no delete that waits for approval';
    },
    takeLocal: async (conflict) =>
      await resolveConflict(session, { conflict, take: 'local', by: 'status page' }, signal()),
    takeRemote: async (conflict) =>
      await resolveConflict(session, { conflict, take: 'remote', by: 'status page' }, signal()),
  };
}
