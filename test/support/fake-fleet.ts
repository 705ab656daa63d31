import type { Database } from '../../src/db/connection/database.ts';
import { TEMPLATE } from '../../src/db/control/schemas.ts';
import type { ObjectStanding } from '../../src/db/service/status.ts';
import { SyncError } from '../../src/domain/errors.ts';
import { createFleetReads, type Reading } from '../../src/http/fleet-reads.ts';
import { createFleetServer } from '../../src/http/fleet-server.ts';
import type { WorkspaceSource, WorkspaceState } from '../../src/http/status-source.ts';

const HOLDER = 'sync-0:11:aaaaaaaa';

export interface FakeWorkspace {
  readonly name: string;
  readonly crm?: string;
  readonly state?: WorkspaceState;
  /** Who leads it, where this process does not. */
  readonly holder?: string;
  /** What reading it takes, or does; default it answers at once. */
  readonly read?: () => Promise<Omit<Reading, 'problem'>>;
  readonly standing?: readonly ObjectStanding[];
  readonly endpoints?: number;
  readonly database?: unknown;
  readonly db?: Database;
}

export function standingOf(object: string, more: Partial<ObjectStanding> = {}): ObjectStanding {
  return {
    object,
    rows: 1_000n,
    pending: 0,
    blocked: 0,
    parked: 0,
    openConflicts: 0,
    setAside: 0,
    lagSeconds: 12,
    lastPulledAt: new Date().toISOString(),
    lastError: null,
    problem: null,
    phase: 'incremental',
    watermark: null,
    lastRun: null,
    troubles: [],
    ...more,
  };
}

export const away = (): SyncError =>
  new SyncError('Postgres does not answer', {
    code: 'database-unreachable',
    disposition: 'retry',
  });

/** A fleet without workspaces behind it: what its status server says of what it is told. */
export function fakeFleet(
  workspaces: readonly FakeWorkspace[],
  { token = null, nudgeSecret = null }: { token?: string | null; nudgeSecret?: string | null } = {},
) {
  const nudged: string[] = [];
  const acted: string[] = [];
  let present = workspaces.map((one) => sourceOf(one, { nudged, acted }));
  const readers = new Map(workspaces.map((one) => [one.name, readerOf(one)]));
  const fleet = {
    log: { warn: () => undefined },
    version: '0.0.0',
    holder: HOLDER,
    workspaces: () => present,
  };
  const reads = createFleetReads({
    count: () => present.length,
    readOne: async ({ name }) => (await readers.get(name)?.()) ?? { objects: [], lease: null },
    besideOf: async () => ({ activities: [], sides: [], comments: [], troubles: [] }),
  });
  const server = createFleetServer(fleet, {
    host: '127.0.0.1',
    port: 0,
    token,
    nudgeSecret,
    reads,
  });
  return {
    server,
    nudged,
    acted,
    /** The file is read anew, and names these alone. */
    keepOnly(names: readonly string[]) {
      present = present.filter(({ name }) => names.includes(name));
    },
  };
}

function readerOf({ read, standing, state, holder }: FakeWorkspace) {
  const leads = state === undefined || state.kind === 'leading';
  const led = leads ? HOLDER : (holder ?? null);
  const lease = led === null ? null : { holder: led, epoch: 1n, expiresAt: '' };
  return read ?? (async () => ({ objects: standing ?? [standingOf('person')], lease }));
}

export function fakeSource(name: string): WorkspaceSource {
  return sourceOf({ name }, { nudged: [], acted: [] });
}

function sourceOf(
  one: FakeWorkspace,
  { nudged, acted }: { nudged: string[]; acted: string[] },
): WorkspaceSource {
  const { name, state = { kind: 'leading' } } = one;
  const fails = () => Promise.reject(away());
  // Conflicts are counted, and nothing else is there.
  const query = (text: string) => (text.includes('max(id)') ? Promise.resolve([]) : fails());
  const act = (what: string) => async (id: bigint) => {
    acted.push(`${name} ${what} ${id}`);
    return 'done';
  };
  return {
    name,
    crm: one.crm ?? 'Sample CRM',
    database: one.database ?? 'warehouse',
    db: one.db ?? {
      schemas: TEMPLATE,
      clock: null,
      query,
      transaction: fails,
      single: fails,
      repeatedSingle: fails,
      repeated: query,
      close: async () => undefined,
    },
    log: { warn: () => undefined },
    workspace: name,
    version: '0.0.0',
    access: 'API key',
    push: true,
    state: () => state,
    leads: () => state.kind === 'leading',
    readsBeside: () => true,
    nextRun: () => null,
    nudge: (object) => nudged.push(`${name} ${object}`),
    hooks: null,
    endpoints: () =>
      Array.from({ length: one.endpoints ?? 0 }, (_, n) => ({
        endpoint: `GET /objects/object_${n}/resources`,
        requests: 12,
        byStatus: { '200': 12 },
        limit: 3_000,
        remaining: 2_900,
        waiting: 0,
        heldUntilMs: null,
        lastAnsweredAtMs: null,
      })),
    watchRequests: () => () => undefined,
    readRemote: fails,
    actions: {
      retry: act('retry'),
      discard: act('discard'),
      approve: act('approve'),
      takeLocal: act('take-local'),
      takeRemote: act('take-remote'),
    },
  };
}
