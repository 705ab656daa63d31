import { countConflictsAfter } from '../db/service/activity.ts';
import { addActions } from './action-routes.ts';
import { createFormTokens } from './form-token.ts';
import { addHook } from './hook-route.ts';
import { createMetrics, type Measured, type Notes } from './metrics.ts';
import { createNotices } from './notices.ts';
import { addNudge } from './nudge-route.ts';
import { addPages } from './page-routes.ts';
import { addProbes } from './probes.ts';
import { createServer, type Server, type ServerOptions } from './server.ts';
import type { StatusSource } from './status-source.ts';
import { createView } from './workspace-view.ts';

/** Status page, probes and metrics of one daemon. */
export interface StatusServer extends Server {
  /** For the counters of `/metrics`. */
  readonly notes: Pick<Notes, 'notePull' | 'notePush'>;
}

export function createStatusServer(source: StatusSource, options: ServerOptions): StatusServer {
  const view = createView(source, { base: '/', member: null });
  const metrics = createMetrics({ fleet: false, crm: source.crm });
  const notes = metrics.notes(null);
  const measured: Measured = {
    name: null,
    state: null,
    version: source.version,
    leads: () => source.leads(),
    endpoints: () => source.endpoints(),
    standing: view.snapshot.standing,
    beside: view.snapshot.beside,
    conflictsAfter: (newest) => countConflictsAfter(source.db, newest),
  };
  const server = createServer(
    (app) => {
      const deps = { formTokens: createFormTokens(options.token), notices: createNotices() };
      const find = () => view;
      addProbes(app, source, view.snapshot);
      addPages(app, find, deps);
      addActions(app, find, deps);
      if (options.nudgeSecret !== null) {
        addNudge(app, options.nudgeSecret, (object) => {
          notes.noteNudge();
          source.nudge(object);
        });
      }
      if (source.hooks !== null) {
        addHook(
          app,
          () => source.hooks,
          (_request, outcome) => notes.noteHook(outcome),
        );
      }
      app.get('/metrics', async (_request, reply) => {
        return await reply.type(metrics.contentType).send(await metrics.render([measured]));
      });
    },
    { ...options, log: source.log },
  );
  let release = () => {};
  return {
    async start() {
      const address = await server.start();
      release();
      release = source.watchRequests(notes.noteRequest);
      return address;
    },
    async stop() {
      release();
      await server.stop();
    },
    notes,
  };
}
