/** What a process knows of the workspaces it serves and of those who serve them as well. */
export interface FleetView {
  readonly workspaces: readonly WorkspaceView[];
  /** By process; who is missing leads nothing that is not in `workspaces`, and is not busy. */
  readonly processes: ReadonlyMap<string, ProcessView>;
}

export interface WorkspaceView {
  readonly name: string;
  /** Who holds its lease; null where nobody does. May be none of the members: a `sync`, say. */
  readonly leader: string | null;
  /** Processes that are alive and able to lead it. */
  readonly members: readonly string[];
  /** How long nobody has led it. */
  readonly unledMs: number;
}

export interface ProcessView {
  /** How many workspaces it leads beside those of the view: its file may name others. */
  readonly elsewhere: number;
  /** How many of those it leads it has not got going yet. */
  readonly opening: number;
}

/** Who is to lead each workspace; those that nobody can lead are left out. */
export type Spread = ReadonlyMap<string, string>;

/** What one process does next. */
export interface Moves {
  readonly take: readonly string[];
  readonly give: readonly { readonly workspace: string; readonly to: string }[];
}

/** A workspace that the one it is meant for does not take is anybody's after this long. */
export const GRACE_MS = 5_000;
/**
 * Nobody is given more at a time than it can get going in a few seconds, or than a third of its
 * share: a round of giving and getting going takes up to ten seconds, and however many there are,
 * they are even within thirty.
 */
const MOST_OPENING = 8;
const mostOpening = (share: number) => Math.max(MOST_OPENING, Math.ceil(share / 3));

/**
 * Spreads workspaces evenly over those who can lead them, moving as few as that takes: whoever
 * leads one keeps it, one that nobody leads goes to the least loaded, and then workspaces move along
 * paths that end where there are at least two less. Without such a path no other spread is more even
 * (docs/decisions/026-fleets.md), and of processes that can all lead the same workspaces no two
 * differ by more than one. The same view gives the same spread, whoever looks.
 */
export function spreadEvenly(view: FleetView): Spread {
  const plan = new Plan(view);
  plan.placeUnled();
  while (plan.improve()) {
    // Each time the sum of the squared loads falls.
  }
  return plan.leaders;
}

/**
 * What `me` does about the spread. Only the leader of a workspace gives it away, so that nobody
 * has to agree with anybody; one that nobody leads is taken by the one it is meant for, and
 * after {@link GRACE_MS} by whoever looks first.
 *
 * @param avoid processes that did not take what they were given.
 */
export function movesOf(view: FleetView, me: string, avoid: ReadonlySet<string>): Moves {
  const able = view.workspaces.map((workspace) => ({
    ...workspace,
    members: workspace.members.filter((process) => process === me || !avoid.has(process)),
  }));
  const spread = spreadEvenly({ ...view, workspaces: able });
  const shares = new Map<string, number>();
  for (const to of spread.values()) shares.set(to, (shares.get(to) ?? 0) + 1);
  const opening = new Map([...view.processes].map(([process, facts]) => [process, facts.opening]));
  const take: string[] = [];
  const give: { workspace: string; to: string }[] = [];
  for (const { name, leader, members, unledMs } of able) {
    const to = spread.get(name);
    if (leader === null) {
      const isLeftOver = unledMs >= GRACE_MS && members.includes(me);
      if (to === me || isLeftOver) take.push(name);
    } else if (leader === me && to !== undefined && to !== me) {
      const busy = opening.get(to) ?? 0;
      if (busy >= mostOpening(shares.get(to) ?? 0)) continue;
      opening.set(to, busy + 1);
      give.push({ workspace: name, to });
    }
  }
  return { take, give };
}

const byName = (a: { readonly name: string }, b: { readonly name: string }) =>
  a.name < b.name ? -1 : 1;

class Plan {
  readonly leaders = new Map<string, string>();
  readonly #loads: Map<string, number>;
  readonly #workspaces: readonly WorkspaceView[];

  constructor({ workspaces, processes }: FleetView) {
    this.#workspaces = workspaces.toSorted(byName);
    const members = new Set(this.#workspaces.flatMap((one) => one.members));
    this.#loads = new Map(
      [...members].toSorted().map((process) => [process, processes.get(process)?.elsewhere ?? 0]),
    );
    for (const { name, leader } of this.#workspaces) {
      if (leader === null) continue;
      this.leaders.set(name, leader);
      this.#loads.set(leader, this.#load(leader) + 1);
    }
  }

  /** Those that fewest can lead first. */
  placeUnled(): void {
    const unled = this.#workspaces.filter(({ name }) => !this.leaders.has(name));
    const byChoice = unled.toSorted((a, b) => a.members.length - b.members.length);
    for (const { name, members } of byChoice) {
      const [least] = members.toSorted(this.#byLoad);
      if (least === undefined) continue;
      this.leaders.set(name, least);
      this.#loads.set(least, this.#load(least) + 1);
    }
  }

  /** Moves workspaces along one path from a loaded process to one with at least two less. */
  improve(): boolean {
    const edges = this.#edges();
    for (const process of [...this.#loads.keys()].toSorted(this.#byLoad).toReversed()) {
      const path = this.#pathFrom(process, edges);
      if (path === null) continue;
      let from = process;
      for (const { workspace, to } of path) {
        this.leaders.set(workspace, to);
        this.#loads.set(from, this.#load(from) - 1);
        this.#loads.set(to, this.#load(to) + 1);
        from = to;
      }
      return true;
    }
    return false;
  }

  /** By process: whom it could give something to, and what. */
  #edges(): Map<string, Map<string, string>> {
    const edges = new Map<string, Map<string, string>>();
    for (const { name, members } of this.#workspaces) {
      const leader = this.leaders.get(name);
      // What somebody leads who is no member is not ours to plan: he lets go of it by himself.
      if (leader === undefined || !members.includes(leader)) continue;
      const given = edges.get(leader) ?? new Map<string, string>();
      edges.set(leader, given);
      for (const to of members) if (to !== leader && !given.has(to)) given.set(to, name);
    }
    return edges;
  }

  /** The shortest one to whoever has least; breadth first. */
  #pathFrom(start: string, edges: ReadonlyMap<string, ReadonlyMap<string, string>>) {
    const most = this.#load(start) - 2;
    const cameBy = new Map<string, { readonly from: string; readonly workspace: string }>();
    const queue = [start];
    let end: string | null = null;
    for (const process of queue) {
      for (const [to, workspace] of edges.get(process) ?? []) {
        if (to === start || cameBy.has(to)) continue;
        cameBy.set(to, { from: process, workspace });
        queue.push(to);
        const load = this.#load(to);
        if (load <= most && (end === null || load < this.#load(end))) end = to;
      }
    }
    if (end === null) return null;
    const path: { readonly workspace: string; readonly to: string }[] = [];
    for (let to = end; to !== start; ) {
      const step = cameBy.get(to);
      if (step === undefined) return null;
      path.unshift({ workspace: step.workspace, to });
      to = step.from;
    }
    return path;
  }

  #load(process: string): number {
    return this.#loads.get(process) ?? 0;
  }

  readonly #byLoad = (a: string, b: string): number =>
    this.#load(a) - this.#load(b) || (a < b ? -1 : 1);
}
