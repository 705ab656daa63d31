import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type * as Rules from '../../../src/domain/walk/rules.ts';
import type * as TieOrder from '../../../src/domain/walk/tie-order.ts';
import { type History, histories, modes, play } from './history.ts';
import type { WalkModule } from './model-pull.ts';
import type { ServerModes } from './model-server.ts';

const RULES = '../../../src/domain/walk/rules.ts';
const TIE_ORDER = '../../../src/domain/walk/tie-order.ts';

/** The walk, with some of its rules replaced. */
async function broken(
  rules: Partial<typeof Rules>,
  tieOrder: Partial<typeof TieOrder> = {},
): Promise<WalkModule> {
  vi.resetModules();
  vi.doMock(RULES, async (original) => ({ ...(await original<typeof Rules>()), ...rules }));
  vi.doMock(TIE_ORDER, async (original) => ({
    ...(await original<typeof TieOrder>()),
    ...tieOrder,
  }));
  const walk = await import('../../../src/domain/walk/walk.ts');
  const { walkStart, confirms } = await import('../../../src/domain/walk/instant.ts');
  const { startWalk, nextRequest, acceptPage } = walk;
  return { startWalk, nextRequest, acceptPage, walkStart, confirms };
}

function firstFailure(
  walk: WalkModule,
  servers: fc.Arbitrary<ServerModes>,
  holds: (problems: readonly unknown[]) => boolean,
): boolean {
  const property = fc.property(histories(servers), (history: History) =>
    holds(play(history, walk).map(({ problem }) => problem)),
  );
  return fc.check(property, { numRuns: 5_000, seed: 42, endOnFailure: true }).failed;
}

/** Whether the property finds a record that a walk lost without a word. */
function losesRecords(walk: WalkModule, servers: fc.Arbitrary<ServerModes> = modes): boolean {
  return firstFailure(walk, servers, () => true);
}

/** Whether the property finds a quiet server that a walk cannot vouch for. */
function leavesDoubt(walk: WalkModule, servers: fc.Arbitrary<ServerModes> = modes): boolean {
  return firstFailure(walk, servers, (problems) => problems.every((problem) => problem === null));
}

const tidy = modes.map((any): ServerModes => ({ ...any, ties: 'stable' }));

afterEach(() => {
  vi.doUnmock(RULES);
  vi.doUnmock(TIE_ORDER);
  vi.resetModules();
});

describe('the property test needs every rule', { timeout: 60_000 }, () => {
  it('passes the walk as it is', async () => {
    const walk = await broken({});
    const property = fc.property(histories(tidy), (history) =>
      play(history, walk).every(({ problem }) => problem === null),
    );
    expect(fc.check(property, { numRuns: 200, seed: 42 }).failed).toBe(false);
  });

  it('anchors include the records that share the last timestamp', async () => {
    const anchorAfter: typeof Rules.anchorAfter = (_, lastMs) => lastMs + 1;
    expect(losesRecords(await broken({ anchorAfter }), tidy)).toBe(true);
  });

  it('anchors move', async () => {
    const anchorAfter: typeof Rules.anchorAfter = (anchorMs, lastMs) =>
      anchorMs === null ? lastMs : null;
    const reachesBack: typeof Rules.reachesBack = () => true;
    expect(losesRecords(await broken({ anchorAfter, reachesBack }), tidy)).toBe(true);
  });

  it('pages overlap', async () => {
    expect(leavesDoubt(await broken({ overlapOf: () => 0 }), tidy)).toBe(true);
  });

  it('pages prove that they follow', async () => {
    expect(losesRecords(await broken({ reachesBack: () => true }), tidy)).toBe(true);
  });

  it('large groups of equal timestamps are counted', async () => {
    expect(losesRecords(await broken({ countProves: () => true }))).toBe(true);
  });

  it('large groups of equal timestamps show an order', async () => {
    expect(losesRecords(await broken({ orderProves: () => true }))).toBe(true);
  });

  it('an order takes evidence', async () => {
    expect(losesRecords(await broken({}, { orderEvidence: () => 100 }))).toBe(true);
  });

  it('an order is broken by a record out of place', async () => {
    const continuation: typeof TieOrder.continuation = () => ({ kind: 'follows', shared: 20 });
    expect(losesRecords(await broken({}, { continuation }))).toBe(true);
  });

  it('walks overlap', async () => {
    const walk = await broken({});
    expect(losesRecords({ ...walk, walkStart: (watermark) => watermark?.at ?? null }, tidy)).toBe(
      true,
    );
  });

  it('no watermark passes the start of its walk', async () => {
    const walk = await broken({});
    const startWalk: WalkModule['startWalk'] = (options) =>
      walk.startWalk({ ...options, startedAtMs: options.startedAtMs + 86_400_000 });
    expect(losesRecords({ ...walk, startWalk }, tidy)).toBe(true);
  });
});
