import fc from 'fast-check';
import type * as Scan from '../../../src/domain/scan/scan.ts';
import { type Listed, type ListModes, ListServer } from './list-server.ts';

/** The code under test, handed in so that a test can hand in a broken copy. */
export type ScanModule = Pick<
  typeof Scan,
  'startScan' | 'nextScanRequest' | 'acceptScanPage' | 'answerCount'
>;

/** A record the scan should have handed over and did not, or a scan without end. */
export class LostRecord extends Error {}

export const START_MS = Date.UTC(2026, 8, 14, 20, 0, 0);

interface Action {
  readonly kind: 'edit' | 'create' | 'delete' | 'nothing';
  readonly count: number;
  readonly passMs: number;
}

export interface History {
  readonly modes: ListModes;
  readonly seed: number;
  readonly groups: readonly { readonly count: number; readonly ageMs: number }[];
  readonly limit: number;
  /** Since so long ago; null reads the whole list. */
  readonly sinceMs: number | null;
  /** Taken one by one between requests; quiet once they are used up. */
  readonly actions: readonly Action[];
  /** The page with this number is lost, as in a kill, and the scan goes on from what was stored. */
  readonly kills: readonly number[];
  readonly scans: number;
}

export const modes: fc.Arbitrary<ListModes> = fc
  .record({
    order: fc.constantFrom('created', 'updated', 'id'),
    direction: fc.constantFrom('asc', 'desc'),
    ties: fc.constantFrom('stable', 'stable', 'reversed', 'shuffled'),
    pageCap: fc.constantFrom(1000, 1000, 1000, 16, 9),
    total: fc.constantFrom('true', 'none'),
    more: fc.constantFrom('told', 'told', 'untold'),
    dates: fc.constantFrom('both', 'both', 'created', 'none'),
    stamps: fc.constantFrom('ms', 's'),
    strict: fc.boolean(),
    delayMs: fc.constantFrom(0, 0, 5_000, 30_000),
    early: fc.constantFrom(0, 0, 3),
  })
  // Without update times nothing bounds a late write: what is taken for granted in 024.
  .map((any) => (any.dates === 'both' ? any : { ...any, delayMs: 0 }));

const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom('edit', 'edit', 'create', 'delete', 'delete', 'nothing'),
  count: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.constant(30)),
  passMs: fc.constantFrom(0, 1, 40, 900, 20_000, 600_000),
});

const AGES_MS = [1_000, 1_001, 30_000, 3_600_000, 3_600_500, 7_200_000, 86_400_000];

export function histories(server: fc.Arbitrary<ListModes> = modes): fc.Arbitrary<History> {
  return fc.record({
    modes: server,
    seed: fc.integer(),
    groups: fc.array(
      fc.record({
        count: fc.constantFrom(1, 1, 2, 5, 9, 30),
        ageMs: fc.oneof(fc.constantFrom(...AGES_MS), fc.integer({ min: 1, max: 200_000_000 })),
      }),
      { maxLength: 10 },
    ),
    limit: fc.constantFrom(8, 9, 12, 20, 40, 64),
    sinceMs: fc.constantFrom(null, null, 3_600_000, 90_000_000),
    actions: fc.array(action, { maxLength: 60 }),
    kills: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 3 }),
    scans: fc.integer({ min: 1, max: 3 }),
  });
}

export interface Outcome {
  readonly verdict: 'ok' | 'incomplete';
  readonly problem: Scan.ScanProblem | null;
  readonly requests: number;
}

/**
 * One scan, killed now and then, its promise checked: `ok` only if everybody who was in the list
 * from the first request to the last was handed over, in the version of the start or a later one.
 */
export function scan(
  server: ListServer,
  module: ScanModule,
  options: {
    readonly limit: number;
    readonly sinceMs?: number | null;
    readonly kills?: readonly number[];
    readonly maxRequests?: number;
    readonly meanwhile?: () => void;
  },
): Outcome {
  const { limit, sinceMs = null, kills = [], maxRequests = 20_000 } = options;
  const isListed = ({ updatedMs }: Listed) =>
    sinceMs === null || (server.modes.strict ? updatedMs > sinceMs : updatedMs >= sinceMs);
  const standing = new Map([...server.visible()].filter(([, one]) => isListed(one)));
  const seen = new Map<string, number>();
  /** As the database has it: in which passes each came, and whether it was there before the scan. */
  const came = new Map<string, { first: number; last: number; isOld: boolean }>();
  let state = module.startScan({ startedAtMs: server.nowMs, limit, isFiltered: sinceMs !== null });
  for (let requests = 1; ; requests += 1) {
    if (requests > maxRequests) throw new LostRecord('a scan without end');
    const request = module.nextScanRequest(state);
    if (request === null) throw new LostRecord('no request, and never done');
    const page = server.page(request, sinceMs);
    const visible = server.visible();
    for (const id of standing.keys()) if (!visible.has(id)) standing.delete(id);
    if (!kills.includes(requests)) {
      const step = module.acceptScanPage(state, page);
      const joined = new Set(step.joined);
      for (const [index, { id, version }] of page.shown.entries()) {
        seen.set(id, version);
        const { first = state.pass, isOld = false } = came.get(id) ?? {};
        came.set(id, { first, last: state.pass, isOld: isOld || !joined.has(index) });
      }
      state = step.asksCount
        ? module.answerCount(
            step.state,
            step.state.totals.map(
              (_, pass) =>
                [...came.values()].filter(
                  ({ first, last, isOld }) => last >= pass && (isOld || first < pass),
                ).length,
            ),
          )
        : step.state;
      if (kills.includes(requests + 1)) state = JSON.parse(JSON.stringify(state)) as Scan.ScanState;
    }
    const { verdict, problem } = state;
    if (verdict === 'ok') {
      for (const [id, { version }] of standing) {
        if ((seen.get(id) ?? -1) < version)
          throw new LostRecord(`record ${id} was not handed over`);
      }
    }
    if (verdict !== null) return { verdict, problem, requests };
    options.meanwhile?.();
  }
}

/** Plays a history: scans while things happen, then one when all is quiet. */
export function play(history: History, module: ScanModule): Outcome {
  const server = new ListServer(history.modes, history.seed, START_MS);
  for (const { count, ageMs } of history.groups) {
    const atMs = START_MS - ageMs;
    for (let i = 0; i < count; i += 1) server.seed(atMs - (i % 2) * 5_000, atMs);
  }
  const actions = [...history.actions];
  const meanwhile = () => act(server, actions.shift());
  const { limit, kills } = history;
  const one = () => {
    const sinceMs = history.sinceMs === null ? null : server.nowMs - history.sinceMs;
    return scan(server, module, { limit, sinceMs, kills, meanwhile });
  };
  for (let i = 0; i < history.scans; i += 1) one();
  actions.length = 0;
  server.pass(200_000);
  return one();
}

function act(server: ListServer, next: Action | undefined): void {
  if (next === undefined) return;
  server.pass(next.passMs);
  switch (next.kind) {
    case 'edit':
      return server.edit(next.count);
    case 'create':
      return server.create(next.count);
    case 'delete':
      return server.delete(next.count);
    case 'nothing':
      return;
  }
}
