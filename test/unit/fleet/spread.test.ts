import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FleetView,
  movesOf,
  spreadEvenly,
  type WorkspaceView,
} from '../../../src/app/fleet/spread.ts';

const process = (n: number) => `p${n}`;

/** Any view: who leads may be a member, a stranger, or nobody. */
const views: fc.Arbitrary<FleetView> = fc
  .record({
    workspaces: fc.array(
      fc.record({
        members: fc.uniqueArray(fc.nat(4), { maxLength: 5 }),
        leader: fc.option(fc.nat(6)),
        unledMs: fc.nat(10_000),
      }),
      { maxLength: 14 },
    ),
    elsewhere: fc.array(fc.nat(4), { minLength: 5, maxLength: 5 }),
  })
  .map(({ workspaces, elsewhere }) => ({
    workspaces: workspaces.map(({ members, leader, unledMs }, n) => ({
      name: `w${n}`,
      leader: leader === null ? null : process(leader),
      members: members.map(process),
      unledMs,
    })),
    processes: new Map(elsewhere.map((count, n) => [process(n), { elsewhere: count, opening: 0 }])),
  }));

function loadsOf(view: FleetView, leaders: ReadonlyMap<string, string>): number[] {
  const loads = new Map<string, number>();
  for (const { members } of view.workspaces) {
    for (const each of members) loads.set(each, view.processes.get(each)?.elsewhere ?? 0);
  }
  for (const { leader } of view.workspaces) {
    if (leader !== null && !loads.has(leader)) loads.set(leader, 0);
  }
  for (const leader of leaders.values()) loads.set(leader, (loads.get(leader) ?? 0) + 1);
  return [...loads.values()];
}

const squares = (loads: readonly number[]) => loads.reduce((sum, load) => sum + load * load, 0);

/** The least sum of squares over every spread there is. */
function best(view: FleetView): number {
  const fixed = new Map<string, string>();
  const free: WorkspaceView[] = [];
  for (const workspace of view.workspaces) {
    const { name, leader, members } = workspace;
    if (leader !== null && !members.includes(leader)) fixed.set(name, leader);
    else if (members.length > 0) free.push(workspace);
  }
  let least = Number.POSITIVE_INFINITY;
  const place = (index: number, leaders: Map<string, string>): void => {
    const workspace = free[index];
    if (workspace === undefined) {
      least = Math.min(least, squares(loadsOf(view, leaders)));
      return;
    }
    for (const member of workspace.members) {
      leaders.set(workspace.name, member);
      place(index + 1, leaders);
    }
  };
  place(0, new Map(fixed));
  return least;
}

describe('a spread', () => {
  it('names a member for every workspace that has one, and leaves alone what strangers lead', () => {
    fc.assert(
      fc.property(views, (view) => {
        const spread = spreadEvenly(view);
        for (const { name, leader, members } of view.workspaces) {
          const to = spread.get(name);
          if (leader !== null && !members.includes(leader)) expect(to).toBe(leader);
          else if (members.length === 0) expect(to).toBeUndefined();
          else expect(members).toContain(to);
        }
      }),
    );
  });

  it('is the most even one there is, by every one that could be tried', () => {
    const small = views.filter(
      ({ workspaces }) =>
        workspaces.reduce((count, { members }) => count * Math.max(1, members.length), 1) < 3_000,
    );
    fc.assert(
      fc.property(small, (view) => {
        expect(squares(loadsOf(view, spreadEvenly(view)))).toBe(best(view));
      }),
      { numRuns: 300 },
    );
  });

  it('differs by one at most where all can lead all', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.array(fc.option(fc.nat(6))), (count, led) => {
        const members = Array.from({ length: count }, (_, n) => process(n));
        const workspaces = led.map((leader, n) => ({
          name: `w${n}`,
          leader: leader === null || leader >= count ? null : process(leader),
          members,
          unledMs: 0,
        }));
        const view = { workspaces, processes: new Map() };
        const loads = loadsOf(view, spreadEvenly(view));
        if (workspaces.length > 0) expect(Math.max(...loads) - Math.min(...loads)).toBeLessThan(2);
      }),
    );
  });

  it('moves nothing where it is even already', () => {
    fc.assert(
      fc.property(views, (view) => {
        const spread = spreadEvenly(view);
        const even = {
          ...view,
          workspaces: view.workspaces.map((one) => ({
            ...one,
            leader: spread.get(one.name) ?? null,
          })),
        };
        expect(spreadEvenly(even)).toEqual(spread);
        for (const me of view.processes.keys()) {
          expect(movesOf(even, me, new Set())).toEqual({ take: [], give: [] });
        }
      }),
    );
  });

  it('moves no more than it must where one comes', () => {
    const members = ['p0', 'p1', 'p2', 'p3'];
    const workspaces = Array.from({ length: 12 }, (_, n) => ({
      name: `w${n}`,
      leader: process(n % 3),
      members,
      unledMs: 0,
    }));
    const spread = spreadEvenly({ workspaces, processes: new Map() });
    const moved = workspaces.filter(({ name, leader }) => spread.get(name) !== leader);
    expect(moved).toHaveLength(3);
    expect(moved.map(({ name }) => spread.get(name))).toEqual(['p3', 'p3', 'p3']);
  });
});

describe('moves', () => {
  const view = (unledMs: number): FleetView => ({
    workspaces: [{ name: 'a', leader: null, members: ['p0', 'p1'], unledMs }],
    processes: new Map(),
  });

  it('takes what it is meant for at once, and what somebody else lets lie after a while', () => {
    expect(movesOf(view(0), 'p0', new Set()).take).toEqual(['a']);
    expect(movesOf(view(0), 'p1', new Set()).take).toEqual([]);
    expect(movesOf(view(6_000), 'p1', new Set()).take).toEqual(['a']);
  });

  it('gives nobody more than it can get going, and nothing to who did not take it before', () => {
    const workspaces = Array.from({ length: 30 }, (_, n) => ({
      name: `w${n}`,
      leader: 'p0',
      members: ['p0', 'p1'],
      unledMs: 0,
    }));
    const busy = new Map([['p1', { elsewhere: 0, opening: 5 }]]);
    expect(movesOf({ workspaces, processes: busy }, 'p0', new Set()).give).toHaveLength(3);
    expect(movesOf({ workspaces, processes: busy }, 'p0', new Set(['p1'])).give).toEqual([]);
  });
});
