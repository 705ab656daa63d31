import type { FastifyInstance, FastifyRequest } from 'fastify';
import { countConflictsAfter } from '../db/service/activity.ts';
import { addActions } from './action-routes.ts';
import { probeFleet } from './fleet-probes.ts';
import { createFleetReads, type FleetReads } from './fleet-reads.ts';
import { createFormTokens } from './form-token.ts';
import { addHook } from './hook-route.ts';
import { createMetrics, type Measured, type Metrics, type Notes } from './metrics.ts';
import { createNotices } from './notices.ts';
import { addNudge } from './nudge-route.ts';
import { baseOf, fleetPage } from './page/fleet-page.ts';
import { addPages, sendPage } from './page-routes.ts';
import { addProbe } from './probes.ts';
import { createServer, type Server, type ServerOptions } from './server.ts';
import type { FleetSource, WorkspaceSource } from './status-source.ts';
import { withinMs } from './within.ts';
import { createView, type WorkspaceView } from './workspace-view.ts';

/** Status pages, probes and metrics of one process of a fleet. */
export interface FleetServer extends Server {
  /** For the counters of `/metrics`, of the workspace of that name. */
  notes(name: string): Notes;
}

export interface FleetServerOptions extends ServerOptions {
  /** Default: read from the database of each, no faster than a twentieth of the time. */
  readonly reads?: FleetReads;
}

/** Somebody waits for the page: what was not read by then is shown as it was known. */
const PAGE_MS = 600;
/** What pages show is kept of so many workspaces: of those that somebody looks at. */
const VIEWS = 8;

export function createFleetServer(fleet: FleetSource, options: FleetServerOptions): FleetServer {
  const { reads = createFleetReads({ count: () => fleet.workspaces().length }) } = options;
  const metrics = createMetrics({ fleet: true, crm: 'its CRM' });
  const parts = { reads, metrics, views: createViews(fleet) };
  const server = createServer((app) => addRoutes(app, fleet, { ...parts, options }), {
    ...options,
    log: fleet.log,
  });
  return { ...server, notes: (name) => metrics.notes(name) };
}

interface Parts {
  readonly reads: FleetReads;
  readonly metrics: Metrics;
  readonly views: Views;
  readonly options: FleetServerOptions;
}

function addRoutes(app: FastifyInstance, fleet: FleetSource, parts: Parts): void {
  const { reads, metrics, views, options } = parts;
  addProbe(app, () => probeFleet(fleet, reads));
  app.get('/', async (_request, reply) => {
    const sources = fleet.workspaces();
    await withinMs(PAGE_MS, Promise.all(sources.map((source) => reads.read(source))));
    const rows = sources.map((source) => {
      const known = reads.known(source);
      return {
        name: source.name,
        crm: source.crm,
        state: source.state(),
        // Nothing is not none: before its first reading no row is known.
        objects:
          known?.problem == null || known.objects.length > 0 ? (known?.objects ?? null) : null,
        lease: known?.lease ?? null,
        problem: known?.problem ?? null,
      };
    });
    const { version, holder } = fleet;
    return await sendPage(reply, fleetPage({ rows, version, holder, nowMs: Date.now() }));
  });
  app.get('/metrics', async (_request, reply) => {
    const measured = fleet.workspaces().map((source) => measuredOf(source, reads));
    return await reply.type(metrics.contentType).send(await metrics.render(measured));
  });
  const deps = { formTokens: createFormTokens(options.token), notices: createNotices() };
  const { nudgeSecret } = options;
  app.register(
    async (scope) => {
      addPages(scope, views.find, deps);
      addActions(scope, views.find, deps);
      addHook(
        scope,
        (request) => views.source(request)?.hooks ?? null,
        (request, outcome) => {
          const source = views.source(request);
          if (source !== null) metrics.notes(source.name).noteHook(outcome);
        },
      );
      if (nudgeSecret === null) return;
      addNudge(scope, nudgeSecret, (object, request) => {
        const source = views.source(request);
        if (source === null) return;
        metrics.notes(source.name).noteNudge();
        source.nudge(object);
      });
    },
    { prefix: '/w/:workspace' },
  );
}

function measuredOf(source: WorkspaceSource, reads: FleetReads): Measured {
  return {
    name: source.name,
    state: source.state(),
    version: source.version,
    leads: () => source.leads(),
    endpoints: () => source.endpoints(),
    async standing() {
      const { objects, problem } = await reads.read(source);
      if (problem !== null) throw new Error(problem.message);
      return objects;
    },
    beside: () => reads.beside(source),
    conflictsAfter: (newest) => reads.inTurn(source, () => countConflictsAfter(source.db, newest)),
  };
}

interface Views {
  source(request: FastifyRequest): WorkspaceSource | null;
  find(request: FastifyRequest): WorkspaceView | null;
}

/** Those last looked at: one of a hundred is open, and a hundred would cost megabytes. */
function createViews(fleet: FleetSource): Views {
  const kept = new Map<string, WorkspaceView>();
  const source = ({ params }: FastifyRequest) => {
    const name = nameIn(params);
    return fleet.workspaces().find((one) => one.name === name) ?? null;
  };
  return {
    source,
    find(request) {
      const member = source(request);
      if (member === null) return null;
      const { name } = member;
      const known = kept.get(name);
      const view =
        known?.source === member ? known : createView(member, { base: baseOf(name), member });
      kept.delete(name);
      kept.set(name, view);
      const [oldest] = kept.keys();
      if (kept.size > VIEWS && oldest !== undefined) kept.delete(oldest);
      return view;
    },
  };
}

function nameIn(params: unknown): string | null {
  if (typeof params !== 'object' || params === null || !('workspace' in params)) return null;
  return typeof params.workspace === 'string' ? params.workspace : null;
}
