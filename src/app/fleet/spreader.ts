import { type FleetView, GRACE_MS, type Moves, movesOf } from './spread.ts';

/** One workspace as its control tables tell it, by the clock of its database. */
export interface Standing {
  /** Who holds its lease; null where it is free. */
  readonly leader: string | null;
  /** Who is alive and able to lead it. */
  readonly members: readonly MemberFacts[];
}

export interface MemberFacts {
  readonly process: string;
  /** How many workspaces it leads in all, these and others. */
  readonly leads: number;
  /** How many of them it has not got going yet. */
  readonly opening: number;
}

/** Whoever lets lie what it was given is given nothing for that long. */
const AVOID_MS = 60_000;

interface Gift {
  readonly to: string;
  /** Since when nobody has led it; null while it is not let go of yet. */
  readonly freeSinceMs: number | null;
}

/** Remembers between two looks what no table tells: since when, and what was given to whom. */
export class Spreader {
  readonly #me: string;
  readonly #unledSince = new Map<string, number>();
  readonly #gifts = new Map<string, Gift>();
  readonly #avoidUntil = new Map<string, number>();
  /**
   * What was given away while the same processes could lead the same workspaces, and is not given
   * again: where their files differ each knows of loads that another does not see, and workspaces
   * could move for ever.
   */
  readonly #given = new Set<string>();
  #members = '';

  constructor(me: string) {
    this.#me = me;
  }

  /** @param nowMs by a clock that never jumps. */
  look(standings: ReadonlyMap<string, Standing>, nowMs: number): Moves {
    this.#follow(standings, nowMs);
    this.#followMembers(standings);
    const avoid = new Set<string>();
    for (const [process, untilMs] of this.#avoidUntil) {
      if (untilMs > nowMs) avoid.add(process);
      else this.#avoidUntil.delete(process);
    }
    const { take, give } = movesOf(this.#view(standings, nowMs), this.#me, avoid);
    const mayGive = (workspace: string) =>
      !this.#gifts.has(workspace) && !this.#given.has(workspace);
    const moves = { take, give: give.filter(({ workspace }) => mayGive(workspace)) };
    for (const { workspace, to } of moves.give) {
      this.#gifts.set(workspace, { to, freeSinceMs: null });
      this.#given.add(workspace);
    }
    return moves;
  }

  #followMembers(standings: ReadonlyMap<string, Standing>): void {
    const all = [...standings].map(([name, one]) => [name, ...one.members.map((m) => m.process)]);
    const members = JSON.stringify(all.map((names) => names.join(' ')).toSorted());
    if (members === this.#members) return;
    this.#members = members;
    this.#given.clear();
  }

  /** What was to be given is kept after all. */
  keep(workspace: string): void {
    this.#gifts.delete(workspace);
    this.#given.delete(workspace);
  }

  #follow(standings: ReadonlyMap<string, Standing>, nowMs: number): void {
    for (const [name, { leader }] of standings) {
      if (leader !== null) this.#unledSince.delete(name);
      else if (!this.#unledSince.has(name)) this.#unledSince.set(name, nowMs);
    }
    for (const name of this.#unledSince.keys()) {
      if (!standings.has(name)) this.#unledSince.delete(name);
    }
    for (const [name, gift] of this.#gifts)
      this.#followGift(name, gift, standings.get(name), nowMs);
  }

  #followGift(name: string, { to, freeSinceMs }: Gift, now: Standing | undefined, nowMs: number) {
    if (now?.leader === this.#me && freeSinceMs === null) return;
    const lies = freeSinceMs !== null && nowMs - freeSinceMs >= GRACE_MS;
    if (now?.leader === null && !lies) {
      this.#gifts.set(name, { to, freeSinceMs: freeSinceMs ?? nowMs });
      return;
    }
    this.#gifts.delete(name);
    if (lies && now?.leader !== to) this.#avoidUntil.set(to, nowMs + AVOID_MS);
  }

  #view(standings: ReadonlyMap<string, Standing>, nowMs: number): FleetView {
    const visible = new Map<string, number>();
    const told = new Map<string, MemberFacts>();
    for (const { leader, members } of standings.values()) {
      if (leader !== null) visible.set(leader, (visible.get(leader) ?? 0) + 1);
      for (const member of members) {
        const known = told.get(member.process);
        if (known === undefined || known.leads < member.leads) told.set(member.process, member);
      }
    }
    const given = new Map<string, number>();
    for (const { to } of this.#gifts.values()) given.set(to, (given.get(to) ?? 0) + 1);
    const processes = new Map(
      [...told].map(([process, { leads, opening }]) => [
        process,
        {
          elsewhere: Math.max(0, leads - (visible.get(process) ?? 0)),
          opening: opening + (given.get(process) ?? 0),
        },
      ]),
    );
    const workspaces = [...standings].map(([name, { leader, members }]) => {
      const able = members.map(({ process }) => process);
      const gift = this.#gifts.get(name);
      // As good as his already: or it would be counted, and given, once more.
      const isGone = gift !== undefined && leader === this.#me && able.includes(gift.to);
      return {
        name,
        leader: isGone ? gift.to : leader,
        members: able,
        unledMs: nowMs - (this.#unledSince.get(name) ?? nowMs),
      };
    });
    return { workspaces, processes };
  }
}
