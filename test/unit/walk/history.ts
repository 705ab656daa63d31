import fc from 'fast-check';
import { LostRecord, ModelMirror, type PullResult, type WalkModule } from './model-pull.ts';
import { ModelServer, type ServerModes } from './model-server.ts';

const START_MS = Date.UTC(2026, 8, 14, 20, 0, 0);
const FUTURE_MS = Date.UTC(2099, 0, 1);

interface Action {
  readonly kind: 'edit' | 'create' | 'delete' | 'nothing';
  readonly count: number;
  readonly passMs: number;
}

export interface History {
  readonly modes: ServerModes;
  readonly seed: number;
  /** Records from before: how many share the timestamp, so long before the start. */
  readonly groups: readonly { readonly count: number; readonly ageMs: number }[];
  readonly future: boolean;
  readonly limit: number;
  /** Taken one by one between requests; quiet once they are used up. */
  readonly actions: readonly Action[];
  /** One pull each: killed after so many pages, or run to the end. */
  readonly pulls: readonly {
    readonly killAfterPages: number | null;
    readonly probe: boolean;
    readonly pauseMs: number;
  }[];
}

export const modes: fc.Arbitrary<ServerModes> = fc.record({
  filter: fc.constantFrom('instants', 'days'),
  ties: fc.constantFrom('stable', 'reversed', 'shuffled', 'byOffset'),
  nullUntilEdit: fc.boolean(),
  nullsFirst: fc.boolean(),
  pageCap: fc.constantFrom(1000, 1000, 1000, 7, 4),
  delayMs: fc.constantFrom(0, 0, 5_000, 30_000),
  total: fc.constantFrom('true', 'none', 'wrong'),
});

const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom('edit', 'edit', 'create', 'delete', 'delete', 'nothing'),
  count: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.constant(15)),
  passMs: fc.constantFrom(0, 1, 40, 900, 20_000, 600_000, 7_200_000),
});

const AGES_MS = [1_000, 1_001, 30_000, 3_600_000, 3_600_500, 7_200_000, 86_400_000, 180_000_000];

export function histories(server: fc.Arbitrary<ServerModes> = modes): fc.Arbitrary<History> {
  return fc.record({
    modes: server,
    seed: fc.integer(),
    groups: fc.array(
      fc.record({
        count: fc.constantFrom(1, 1, 2, 5, 9, 30),
        ageMs: fc.oneof(fc.constantFrom(...AGES_MS), fc.integer({ min: 1, max: 200_000_000 })),
      }),
      { maxLength: 20 },
    ),
    future: fc.boolean(),
    limit: fc.constantFrom(2, 3, 4, 5, 6, 8, 12, 20, 40),
    actions: fc.array(action, { maxLength: 60 }),
    pulls: fc.array(
      fc.record({
        killAfterPages: fc.option(fc.integer({ min: 1, max: 6 })),
        probe: fc.boolean(),
        pauseMs: fc.constantFrom(0, 1_000, 50_000, 500_000),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  });
}

/**
 * Plays a history: pulls while things happen, then a pull when all is quiet.
 *
 * @throws LostRecord where a walk broke its promise, or the mirror is not the server in the end.
 * @returns what the quiet walks came to.
 */
export function play(history: History, walk: WalkModule): readonly PullResult[] {
  const server = new ModelServer(history.modes, history.seed, START_MS);
  for (const { count, ageMs } of history.groups) {
    const atMs = START_MS - ageMs;
    for (let i = 0; i < count; i += 1) {
      const neverEdited = history.modes.nullUntilEdit && i % 3 === 0;
      server.seed(atMs - (i % 2) * 5_000, neverEdited ? null : atMs);
    }
  }
  if (history.future) server.seed(START_MS - 1_000, FUTURE_MS);

  const mirror = new ModelMirror(walk);
  const actions = [...history.actions];
  const meanwhile = (): void => act(server, actions.shift());
  const pullBoth = (killAfterPages: number | null, probe: boolean): PullResult[] => {
    const orders = history.modes.nullUntilEdit
      ? (['updated', 'created'] as const)
      : (['updated'] as const);
    const { limit } = history;
    return orders.map((orderBy) =>
      mirror.pull(server, {
        orderBy,
        limit,
        probe,
        killAfterPages,
        meanwhile,
        maxRequests: 5_000,
      }),
    );
  };
  for (const { killAfterPages, probe, pauseMs } of history.pulls) {
    pullBoth(killAfterPages, probe);
    server.pass(pauseMs);
  }
  actions.length = 0;
  server.settle();
  const results = pullBoth(null, true);
  const stale = mirror.differences(server);
  const isQuietOk = results.every(({ verdict }) => verdict === 'ok');
  if (isQuietOk && stale.length > 0) throw new LostRecord(`still differ: ${stale.join(' ')}`);
  return results;
}

function act(server: ModelServer, next: Action | undefined): void {
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
