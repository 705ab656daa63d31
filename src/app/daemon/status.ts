import { packageVersion } from '../../crm/wire/user-agent.ts';
import type { Database } from '../../db/connection/database.ts';
import { approveDeletes } from '../../db/outbox/delete-guard.ts';
import { retryEntries } from '../../db/outbox/review.ts';
import type { HookReceiver } from '../../http/hook-route.ts';
import type { StatusServer } from '../../http/status-server.ts';
import type { NextRun, StatusSource } from '../../http/status-source.ts';
import { describeAccess } from '../config/config.ts';
import { readsBeside } from '../config/objects.ts';
import { discardChange } from '../decisions/discard-change.ts';
import { resolveConflict } from '../decisions/resolve-conflict.ts';
import { createReceiver } from '../hooks/receiver.ts';
import type { Session } from '../session.ts';

export interface DaemonFacts {
  leads(): boolean;
  nextRun(object: string): NextRun | null;
  nudge(object: string | null): void;
}

/** The status server of a daemon; null where it is off: then none of it is in memory either. */
export async function createDaemonStatus(
  session: Session,
  facts: DaemonFacts,
): Promise<StatusServer | null> {
  const { http } = session.config;
  if (http === null) return null;
  const { createStatusServer } = await import('../../http/status-server.ts');
  return createStatusServer(statusSource(session, facts), http);
}

/** What a status server shows of a workspace, and does for it. */
export function statusSource(session: Session, facts: DaemonFacts): StatusSource {
  const { config, db, log, traffic } = session;
  return {
    db,
    log,
    workspace: session.installation.workspace,
    crm: config.crm.title,
    version: packageVersion(),
    access: describeAccess(config.access),
    push: config.push && session.installation.adopted,
    leads: facts.leads,
    readsBeside: (table, object) => readsBeside(config, table, object),
    nextRun: facts.nextRun,
    nudge: facts.nudge,
    hooks: receiverOf(session),
    endpoints: () => traffic.stats(),
    watchRequests: (listener) => traffic.watch(listener),
    ...decidedOn(db, (work) => work(session)),
  };
}

/** Null where its CRM calls nobody, or is not asked to. */
export function receiverOf({
  db,
  config,
  log,
}: Pick<Session, 'db' | 'config' | 'log'>): HookReceiver | null {
  const { hooks: calls } = config.crm;
  return config.hookUrl == null || calls === undefined ? null : createReceiver({ db, calls, log });
}

/** Lends a session for as long as `work` takes. */
export type UseSession = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

/** What is asked of the CRM for a decision is given up after this long: somebody waits for it. */
const DECISION_MS = 20_000;

/** What a person may see and decide of a workspace; a session is needed for what asks its CRM. */
export function decidedOn(
  db: Database,
  use: UseSession,
): Pick<StatusSource, 'readRemote' | 'actions'> {
  const signal = () => AbortSignal.timeout(DECISION_MS);
  const resolve = (conflict: bigint, take: 'local' | 'remote') =>
    use((session) => resolveConflict(session, { conflict, take, by: 'status page' }, signal()));
  return {
    async readRemote(object, recordId) {
      if (recordId.startsWith('local:')) return null;
      return await use(async ({ tables, remote }) => {
        const table = tables.find((known) => known.object === object);
        if (table === undefined) return null;
        const request = { object: table.schema, id: recordId };
        const record = await remote.readRecord(request, { priority: 'push', signal: signal() });
        return record?.fields ?? null;
      });
    },
    actions: {
      async retry(entry) {
        const retried = await retryEntries(db, [entry]);
        return retried.length > 0 ? 'due again' : 'not waiting any more, or waits for a decision';
      },
      discard: (entry) => use((session) => discardChange(session, entry, signal())),
      async approve(entry) {
        const approved = await approveDeletes(db, [entry]);
        return approved.length > 0 ? 'approved' : 'no delete that waits for approval';
      },
      takeLocal: (conflict) => resolve(conflict, 'local'),
      takeRemote: (conflict) => resolve(conflict, 'remote'),
    },
  };
}
