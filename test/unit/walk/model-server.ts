import type { WalkPage, WalkRequest } from '../../../src/domain/walk/walk.ts';

const DAY_MS = 86_400_000;

export interface ServerModes {
  readonly filter: 'instants' | 'days';
  /** Of records with one timestamp: one order, every other answer reversed, or any. */
  readonly ties: 'stable' | 'reversed' | 'shuffled' | 'byOffset';
  /** `_updated_at` is null until the first edit. */
  readonly nullUntilEdit: boolean;
  readonly nullsFirst: boolean;
  /** Records per page whatever is asked for. */
  readonly pageCap: number;
  /** A write shows up so much later, at most. */
  readonly delayMs: number;
  readonly total: 'true' | 'none' | 'wrong';
  /** Every offset answers with the first page. */
  readonly ignoresOffset?: boolean;
  /** And says there is no more once the offset asked for is far enough. */
  readonly endsByOffset?: boolean;
  readonly ignoresFilter?: boolean;
  readonly ignoresOrder?: boolean;
}

export interface Version {
  readonly id: string;
  readonly createdMs: number;
  readonly updatedMs: number | null;
  readonly version: number;
}

interface Write {
  readonly id: string;
  readonly version: Version | null;
  readonly visibleMs: number;
}

/** A small reproducible random source. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The list endpoint of a CRM, every open question of it a switch. */
export class ModelServer {
  nowMs: number;
  requests = 0;
  readonly modes: ServerModes;
  readonly random: () => number;
  /** What was written, visible or not yet. */
  readonly #latest = new Map<string, Version>();
  readonly #visible = new Map<string, Version>();
  #pending: Write[] = [];
  #nextId = 0;

  constructor(modes: ServerModes, seed: number, nowMs: number) {
    this.modes = modes;
    this.random = randomFrom(seed);
    this.nowMs = nowMs;
  }

  /** A record from before the history begins. */
  seed(createdMs: number, updatedMs: number | null): void {
    const id = this.#newId();
    const record = { id, createdMs, updatedMs, version: 0 };
    this.#latest.set(id, record);
    this.#visible.set(id, record);
  }

  create(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const id = this.#newId();
      const updatedMs = this.modes.nullUntilEdit ? null : this.nowMs;
      this.#write({ id, createdMs: this.nowMs, updatedMs, version: 0 }, id);
    }
  }

  /** Each with the time it is now: a bulk edit stamps them all alike. */
  edit(count: number): void {
    for (const record of this.#some(count)) {
      // The server's clock never goes back, so a stamp from the future stays.
      const updatedMs = Math.max(this.nowMs, record.updatedMs ?? 0);
      this.#write({ ...record, updatedMs, version: record.version + 1 }, record.id);
    }
  }

  delete(count: number): void {
    for (const record of this.#some(count)) this.#write(null, record.id);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.#pending.filter((write) => write.visibleMs <= this.nowMs);
    this.#pending = this.#pending.filter((write) => write.visibleMs > this.nowMs);
    for (const write of due) this.#show(write);
  }

  /** Everything shown, nothing on its way. */
  settle(): void {
    this.pass(31_000);
  }

  visible(): ReadonlyMap<string, Version> {
    return new Map(this.#visible);
  }

  /** The versions a page stands for ride along in `shown`. */
  page(request: WalkRequest): WalkPage & { readonly shown: readonly Version[] } {
    this.requests += 1;
    const time = (record: Version): number | null =>
      request.orderBy === 'updated' ? record.updatedMs : record.createdMs;
    const fromMs = request.from === undefined ? null : this.#bound(Date.parse(request.from));
    const matching = [...this.#visible.values()].filter((record) => {
      const atMs = time(record);
      if (fromMs === null || this.modes.ignoresFilter) return true;
      return atMs !== null && atMs >= fromMs;
    });
    const untimedRank = this.modes.nullsFirst ? -Infinity : Infinity;
    const rank = this.#tieRanks(request.offset);
    const sign = request.direction === 'asc' ? 1 : -1;
    matching.sort((left, right) => {
      const order = compare(time(left) ?? untimedRank, time(right) ?? untimedRank);
      return order === 0 || this.modes.ignoresOrder ? rank(left) - rank(right) : sign * order;
    });
    const offset = this.modes.ignoresOffset ? 0 : request.offset;
    const shown = matching.slice(offset, offset + Math.min(request.limit, this.modes.pageCap));
    const wrong = Math.floor(this.random() * 2 * (matching.length + 1));
    return {
      shown,
      records: shown.map((record) => ({
        id: record.id,
        at: iso(time(record)),
        version: iso(record.updatedMs),
      })),
      total: { true: matching.length, none: null, wrong }[this.modes.total],
      more: (this.modes.endsByOffset ? request.offset : offset) + shown.length < matching.length,
    };
  }

  #bound(fromMs: number): number {
    return this.modes.filter === 'days' ? Math.floor(fromMs / DAY_MS) * DAY_MS : fromMs;
  }

  #tieRanks(offset: number): (record: Version) => number {
    const number = (record: Version): number => Number(record.id);
    switch (this.modes.ties) {
      case 'stable':
        return number;
      case 'reversed':
        return this.requests % 2 === 0 ? number : (record) => -number(record);
      case 'byOffset':
        return (record) => randomFrom(number(record) * 7919 + offset)();
      case 'shuffled': {
        const salt = Math.floor(this.random() * 1e9);
        return (record) => randomFrom(number(record) * 7919 + salt)();
      }
    }
  }

  #some(count: number): Version[] {
    const all = [...this.#latest.values()];
    const chosen = new Set<Version>();
    for (let i = 0; i < count && all.length > 0; i += 1) {
      const record = all[Math.floor(this.random() * all.length)];
      if (record !== undefined) chosen.add(record);
    }
    return [...chosen];
  }

  #write(version: Version | null, id: string): void {
    if (version === null) this.#latest.delete(id);
    else this.#latest.set(id, version);
    const delayMs = Math.floor(this.random() * (this.modes.delayMs + 1));
    const write = { id, version, visibleMs: this.nowMs + delayMs };
    if (delayMs === 0) this.#show(write);
    else this.#pending.push(write);
  }

  #show({ id, version }: Write): void {
    if (version === null) {
      this.#visible.delete(id);
      return;
    }
    const isGone = !this.#latest.has(id);
    const isOlder = (this.#visible.get(id)?.version ?? -1) > version.version;
    if (!isGone && !isOlder) this.#visible.set(id, version);
  }

  #newId(): string {
    this.#nextId += 1;
    return String(this.#nextId);
  }
}

function compare(left: number, right: number): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
