import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Spreader, type Standing } from '../../../src/app/fleet/spreader.ts';

// Minutes of many processes are played through, and not every machine is quick.
vi.setConfig({ testTimeout: 60_000 });

const TTL_MS = 9_000;
const TICK_MS = 2_000;

interface Lease {
  holder: string;
  expiresMs: number;
  epoch: number;
}

/** The control tables of every workspace, on one clock. */
class Tables {
  readonly leases = new Map<string, Lease>();
  readonly members = new Map<
    string,
    Map<string, { expiresMs: number; leads: number; opening: number }>
  >();
  /** Every change of leader. */
  readonly changes: { atMs: number; workspace: string; to: string | null }[] = [];

  leader(workspace: string, nowMs: number): string | null {
    const lease = this.leases.get(workspace);
    return lease !== undefined && lease.expiresMs > nowMs ? lease.holder : null;
  }

  take(workspace: string, holder: string, nowMs: number): boolean {
    if (this.leader(workspace, nowMs) !== null) return false;
    const epoch = (this.leases.get(workspace)?.epoch ?? 0) + 1;
    this.leases.set(workspace, { holder, epoch, expiresMs: nowMs + TTL_MS });
    this.changes.push({ atMs: nowMs, workspace, to: holder });
    return true;
  }

  standing(workspace: string, nowMs: number): Standing {
    const members = [...(this.members.get(workspace) ?? [])]
      .filter(([, { expiresMs }]) => expiresMs > nowMs)
      .map(([process, { leads, opening }]) => ({ process, leads, opening }));
    return { leader: this.leader(workspace, nowMs), members };
  }
}

/** A process as the runtime is one: looks, takes, gets going, drains, lets go. */
class Process {
  readonly name: string;
  readonly files: Set<string>;
  readonly broken = new Set<string>();
  readonly opening = new Map<string, number>();
  readonly draining = new Map<string, number>();
  readonly led = new Set<string>();
  pausedUntilMs = 0;
  nextMs: number;
  #spreader: Spreader;

  constructor(name: string, files: readonly string[], nowMs: number) {
    this.name = name;
    this.files = new Set(files);
    this.nextMs = nowMs;
    this.#spreader = new Spreader(name);
  }

  able(): string[] {
    return [...this.files].filter((workspace) => !this.broken.has(workspace));
  }

  /** @param seenMs when it read what it acts on: what it knows is as old as that. */
  look(tables: Tables, nowMs: number, delays: { open: number; drain: number }): void {
    for (const workspace of this.led) {
      if (tables.leader(workspace, nowMs) !== this.name) this.#lose(workspace);
      else if (this.broken.has(workspace)) this.#letGo(tables, workspace, nowMs);
    }
    for (const [workspace, atMs] of this.draining) {
      if (atMs <= nowMs) this.#letGo(tables, workspace, nowMs);
    }
    for (const [workspace, atMs] of this.opening) if (atMs <= nowMs) this.opening.delete(workspace);
    this.beat(tables, nowMs);
    const standings = new Map(this.able().map((name) => [name, tables.standing(name, nowMs)]));
    const { take, give } = this.#spreader.look(standings, nowMs);
    for (const workspace of take) {
      if (!tables.take(workspace, this.name, nowMs)) continue;
      this.led.add(workspace);
      this.opening.set(workspace, nowMs + delays.open);
    }
    for (const { workspace } of give) this.draining.set(workspace, nowMs + delays.drain);
    this.beat(tables, nowMs);
  }

  beat(tables: Tables, nowMs: number): void {
    for (const workspace of this.led) {
      const lease = tables.leases.get(workspace);
      if (lease?.holder === this.name) lease.expiresMs = nowMs + TTL_MS;
    }
    const facts = { leads: this.led.size, opening: this.opening.size, expiresMs: nowMs + TTL_MS };
    for (const workspace of this.files) {
      const members = tables.members.get(workspace) ?? new Map();
      tables.members.set(workspace, members);
      if (this.broken.has(workspace)) members.delete(this.name);
      else members.set(this.name, { ...facts });
    }
  }

  #letGo(tables: Tables, workspace: string, nowMs: number): void {
    const lease = tables.leases.get(workspace);
    if (lease?.holder === this.name) lease.expiresMs = nowMs;
    tables.changes.push({ atMs: nowMs, workspace, to: null });
    this.#lose(workspace);
  }

  #lose(workspace: string): void {
    this.led.delete(workspace);
    this.opening.delete(workspace);
    this.draining.delete(workspace);
  }

  stop(tables: Tables, nowMs: number): void {
    for (const workspace of this.files) tables.members.get(workspace)?.delete(this.name);
    for (const workspace of this.led) this.#letGo(tables, workspace, nowMs);
  }
}

type Event =
  | { readonly kind: 'join'; readonly files: number }
  | { readonly kind: 'die' | 'stop' | 'pause'; readonly process: number }
  | { readonly kind: 'break' | 'mend'; readonly process: number; readonly workspace: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant('join' as const), files: fc.nat(1_023) }),
  fc.record({ kind: fc.constantFrom('die', 'stop', 'pause'), process: fc.nat(9) }),
  fc.record({
    kind: fc.constantFrom('break', 'mend'),
    process: fc.nat(9),
    workspace: fc.nat(9),
  }),
);

class World {
  readonly tables = new Tables();
  readonly processes: Process[] = [];
  nowMs = 0;
  #count = 0;
  readonly #chance: () => number;

  constructor(seed: number) {
    let state = seed + 1;
    this.#chance = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
  }

  join(files: readonly string[]): Process {
    this.#count += 1;
    const process = new Process(`p${this.#count}`, files, this.nowMs);
    this.processes.push(process);
    return process;
  }

  run(forMs: number): void {
    const endMs = this.nowMs + forMs;
    for (; this.nowMs < endMs; this.nowMs += 50) {
      for (const process of this.processes) {
        if (process.pausedUntilMs > this.nowMs || process.nextMs > this.nowMs) continue;
        const delays = { open: 1_500 * this.#chance(), drain: 2_500 * this.#chance() };
        process.look(this.tables, this.nowMs, delays);
        process.nextMs = this.nowMs + TICK_MS * (0.7 + 0.3 * this.#chance());
      }
    }
  }

  loads(workspaces: readonly string[]): number[] {
    const live = this.processes.filter((one) => one.able().length > 0);
    return live.map(
      ({ name }) =>
        workspaces.filter((workspace) => this.tables.leader(workspace, this.nowMs) === name).length,
    );
  }
}

/** Files that differ: these three never came to rest, and moved something every minute. */
const RESTLESS: Event[] = [
  { kind: 'join', files: 386 },
  { kind: 'pause', process: 3 },
  { kind: 'break', process: 6, workspace: 3 },
  { kind: 'join', files: 163 },
  { kind: 'join', files: 258 },
  { kind: 'join', files: 267 },
];

/** A round of moves takes seconds: their number is not to grow with that of the workspaces. */
const SIZES = fc.constantFrom(10, 60, 200);

const NAMES = Array.from({ length: 10 }, (_, n) => `w${n}`);

describe('processes that spread workspaces', () => {
  it('end up evenly spread, every workspace led, and then move nothing, whatever happened', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), fc.nat(1e6), (events, seed) => {
        const world = new World(seed);
        world.join(NAMES);
        for (const one of events) {
          if (one.kind === 'join') {
            const files = NAMES.filter((_, n) => one.files % 3 > 0 || (one.files >> n) % 2 === 1);
            if (world.processes.length < 6) world.join(files);
          } else {
            const process = world.processes[one.process % world.processes.length];
            if (process === undefined) continue;
            const gone = () => world.processes.splice(world.processes.indexOf(process), 1);
            const workspace = 'workspace' in one ? (NAMES[one.workspace] ?? '') : '';
            if (one.kind === 'die') gone();
            if (one.kind === 'stop') process.stop(world.tables, world.nowMs);
            if (one.kind === 'stop') gone();
            if (one.kind === 'pause') process.pausedUntilMs = world.nowMs + 15_000;
            if (one.kind === 'break') process.broken.add(workspace);
            if (one.kind === 'mend') process.broken.delete(workspace);
          }
          world.run(1_000 + (seed % 7) * 1_000);
        }
        // A pause ends, and what is avoided for a while is not for ever.
        world.run(105_000);
        const settled = world.tables.changes.length;
        world.run(120_000);
        expect(world.tables.changes.slice(settled)).toEqual([]);
        for (const name of NAMES) {
          const able = world.processes.filter((one) => one.able().includes(name));
          const leader = world.tables.leader(name, world.nowMs);
          if (able.length === 0) expect(leader).toBeNull();
          else expect(able.map((one) => one.name)).toContain(leader);
        }
        if (world.processes.length === 0) return;
        const same = world.processes.every(
          ({ files, broken }) => files.size === 10 && broken.size === 0,
        );
        const loads = world.loads(NAMES);
        if (same) expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100, examples: [[RESTLESS, 8]] },
    );
  });

  it('are even within 30 s of one coming, and take over within 10 s of one dying', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 4 }), SIZES, (seed, count, size) => {
        const many = Array.from({ length: size }, (_, n) => `w${n}`);
        const world = new World(seed);
        for (let n = 0; n < count; n += 1) world.join(many);
        world.run(40_000 + (seed % 2_000));
        world.join(many);
        world.run(28_000);
        const loads = world.loads(many);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
        world.processes.splice(0, 1);
        world.run(TTL_MS + TICK_MS);
        expect(many.filter((name) => world.tables.leader(name, world.nowMs) === null)).toEqual([]);
      }),
      { numRuns: 20, examples: [[946_995, 1, 60]] },
    );
  });

  it('move one workspace at most once where one comes', () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const world = new World(seed);
        for (let n = 0; n < 3; n += 1) world.join(NAMES);
        world.run(60_000);
        const before = world.tables.changes.length;
        world.join(NAMES);
        world.run(120_000);
        const moved = world.tables.changes.slice(before).filter(({ to }) => to !== null);
        expect(new Set(moved.map(({ workspace }) => workspace)).size).toBe(moved.length);
        expect(moved).toHaveLength(2);
      }),
      { numRuns: 30 },
    );
  });
});
