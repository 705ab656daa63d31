import { numberedPage } from '../../../src/crm/wire/numbered-page.ts';
import type { ScanPage, ScanRecord } from '../../../src/domain/scan/scan.ts';
import { randomFrom } from '../walk/model-server.ts';

/** A list with positions and nothing else, every open question of it a switch. */
export interface ListModes {
  /** What it is sorted by; nobody is told. */
  readonly order: 'created' | 'updated' | 'id' | 'none';
  readonly direction: 'asc' | 'desc';
  /** Of records with one key: one order, every other answer reversed, or any. */
  readonly ties: 'stable' | 'reversed' | 'shuffled';
  /** Records per page whatever is asked for. */
  readonly pageCap: number;
  readonly total: 'true' | 'none';
  /** `untold`: there is more unless a page is empty. */
  readonly more: 'told' | 'untold';
  /** Which times a record shows. */
  readonly dates: 'both' | 'created' | 'none';
  readonly stamps: 'ms' | 's';
  /** A filter by the last edit leaves out the bound itself. */
  readonly strict: boolean;
  /** A write shows up so much later, at most. */
  readonly delayMs: number;
  /** A page begins up to so many records before what was asked. */
  readonly early: number;
  /** Pages are numbered: one begins at a multiple of its size. */
  readonly numbered?: boolean;
  readonly ignoresOffset?: boolean;
  /** And says there is no more once the offset asked for is far enough. */
  readonly endsByOffset?: boolean;
}

export interface Listed {
  readonly id: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly version: number;
}

interface Write {
  readonly record: Listed;
  readonly isDeletion: boolean;
  readonly visibleMs: number;
}

export class ListServer {
  nowMs: number;
  requests = 0;
  readonly modes: ListModes;
  readonly random: () => number;
  readonly #latest = new Map<string, Listed>();
  readonly #visible = new Map<string, Listed>();
  #pending: Write[] = [];
  /** As it was sorted last, while nothing has changed and the order hangs on no request. */
  #order: Listed[] | null = null;
  #nextId = 0;

  constructor(modes: ListModes, seed: number, nowMs: number) {
    this.modes = modes;
    this.random = randomFrom(seed);
    this.nowMs = nowMs;
  }

  /** A record from before the history begins. */
  seed(createdMs: number, updatedMs: number): void {
    const record = this.#record(createdMs, updatedMs);
    this.#latest.set(record.id, record);
    this.#visible.set(record.id, record);
    this.#order = null;
  }

  create(count: number): void {
    for (let i = 0; i < count; i += 1) this.#write(this.#record(this.nowMs, this.nowMs), false);
  }

  /** Each with the time it is now: a bulk edit stamps them all alike. */
  edit(count: number): void {
    for (const record of this.#some(count)) {
      const updatedMs = Math.max(this.#stamp(this.nowMs), record.updatedMs);
      this.#write({ ...record, updatedMs, version: record.version + 1 }, false);
    }
  }

  delete(count: number): void {
    for (const record of this.#some(count)) this.#write(record, true);
  }

  /** Edits these, stamped and shown when it is said: now, unless told otherwise. */
  touch(
    ids: readonly string[],
    at: { readonly agoMs?: number; readonly inMs?: number } = {},
  ): void {
    for (const record of [...this.#latest.values()].filter(({ id }) => ids.includes(id))) {
      const updatedMs = this.#stamp(this.nowMs - (at.agoMs ?? 0));
      const write = { ...record, updatedMs, version: record.version + 1 };
      this.#write(write, false, at.inMs ?? 0);
    }
  }

  remove(ids: readonly string[]): void {
    for (const record of [...this.#latest.values()].filter(({ id }) => ids.includes(id))) {
      this.#write(record, true, 0);
    }
  }

  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.#pending.filter((write) => write.visibleMs <= this.nowMs);
    this.#pending = this.#pending.filter((write) => write.visibleMs > this.nowMs);
    for (const write of due) this.#show(write);
  }

  visible(): ReadonlyMap<string, Listed> {
    return new Map(this.#visible);
  }

  page(
    request: { readonly offset: number; readonly limit: number },
    sinceMs: number | null,
  ): ScanPage & { readonly shown: readonly Listed[] } {
    const { modes } = this;
    this.requests += 1;
    const all = this.#sorted(sinceMs);
    const early = request.offset === 0 ? 0 : Math.floor(this.random() * (modes.early + 1));
    const most = Math.min(request.limit, modes.pageCap);
    const asked = { offset: Math.max(0, request.offset - early), size: most };
    const { offset, size } = modes.numbered ? numberedPage(asked.offset, most) : asked;
    const from = modes.ignoresOffset ? 0 : offset;
    const shown = all.slice(from, from + size);
    const left = all.length - ((modes.endsByOffset ? offset : from) + shown.length);
    return {
      shown,
      records: shown.map((record) => this.#told(record)),
      offset,
      total: modes.total === 'true' ? all.length : null,
      more: modes.more === 'told' ? left > 0 : shown.length > 0,
    };
  }

  #sorted(sinceMs: number | null): Listed[] {
    const { ties, strict } = this.modes;
    if (ties !== 'stable' || this.modes.order === 'none') this.#order = null;
    this.#order ??= this.#ordered();
    if (sinceMs === null) return this.#order;
    return this.#order.filter(({ updatedMs }) => {
      return strict ? updatedMs > sinceMs : updatedMs >= sinceMs;
    });
  }

  #ordered(): Listed[] {
    const { order, direction, ties } = this.modes;
    const salt = ties === 'shuffled' ? Math.floor(this.random() * 1e9) : 0;
    const flip = ties === 'reversed' && this.requests % 2 === 0 ? -1 : 1;
    const sign = direction === 'asc' ? 1 : -1;
    return [...this.#visible.values()]
      .map((record) => {
        const number = Number(record.id);
        const rank = salt === 0 ? number : randomFrom(number * 7919 + salt)();
        const scattered = order === 'id' ? randomFrom(number * 104_729)() : 0;
        const none = order === 'none' ? this.random() : 0;
        const key = { created: record.createdMs, updated: record.updatedMs, id: scattered, none }[
          order
        ];
        return { record, rank: flip * rank, key: sign * key };
      })
      .toSorted((left, right) => left.key - right.key || left.rank - right.rank)
      .map(({ record }) => record);
  }

  #told({ id, createdMs, updatedMs, version }: Listed): ScanRecord {
    const { dates } = this.modes;
    return {
      id,
      version: dates === 'both' ? `${updatedMs} ${version}` : String(version),
      createdMs: dates === 'none' ? null : createdMs,
      updatedMs: dates === 'both' ? updatedMs : null,
    };
  }

  #stamp(ms: number): number {
    return this.modes.stamps === 's' ? Math.floor(ms / 1_000) * 1_000 : ms;
  }

  #record(createdMs: number, updatedMs: number): Listed {
    this.#nextId += 1;
    const id = String(this.#nextId);
    return { id, createdMs: this.#stamp(createdMs), updatedMs: this.#stamp(updatedMs), version: 0 };
  }

  #some(count: number): Listed[] {
    const all = [...this.#latest.values()];
    const first = Math.floor(this.random() * all.length);
    // Some of what happens, happens to neighbours: that is what makes pages slide.
    const isTogether = this.random() < 0.5;
    const chosen = new Set<Listed>();
    for (let i = 0; i < count && all.length > 0; i += 1) {
      const at = isTogether ? first + i : Math.floor(this.random() * all.length);
      const record = all[at % all.length];
      if (record !== undefined) chosen.add(record);
    }
    return [...chosen];
  }

  #write(
    record: Listed,
    isDeletion: boolean,
    delayMs = Math.floor(this.random() * (this.modes.delayMs + 1)),
  ): void {
    if (isDeletion) this.#latest.delete(record.id);
    else this.#latest.set(record.id, record);
    const write = { record, isDeletion, visibleMs: this.nowMs + delayMs };
    if (delayMs === 0) this.#show(write);
    else this.#pending.push(write);
  }

  #show({ record, isDeletion }: Write): void {
    this.#order = null;
    if (isDeletion) {
      this.#visible.delete(record.id);
      return;
    }
    const isGone = !this.#latest.has(record.id);
    const isOlder = (this.#visible.get(record.id)?.version ?? -1) > record.version;
    if (!isGone && !isOlder) this.#visible.set(record.id, record);
  }
}
