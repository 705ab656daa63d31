import { mirrorTable } from '../../../src/db/mirror/table.ts';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import type { Page, PageRequest, Remote } from '../../../src/domain/remote.ts';

const DAY_MS = 86_400_000;

export interface ListModes {
  readonly pageSize: number;
  readonly filter?: 'instants' | 'days';
  readonly ties?: 'stable' | 'reversed';
  readonly total?: 'true' | 'none' | 'tenfold';
}

export const mirror = mirrorTable({
  object: 'thing',
  label: { singular: 'Thing', plural: 'Things' },
  fields: [],
  identity: null,
  readOnly: null,
});

function refuse(): never {
  throw new Error('not part of this test');
}

/** A CRM that lists records by creation, and nothing else. */
export class ListedRemote implements Remote {
  readonly title = 'A CRM';
  readonly limits: Remote['limits'];
  readonly clock = null;
  readonly discover = refuse;
  readonly readDeletions = refuse;
  readonly readRecord = refuse;
  readonly readLinks = refuse;
  readonly readHistory = refuse;
  readonly readUsers = refuse;
  readonly create = refuse;
  readonly update = refuse;
  readonly delete = refuse;
  readonly setLinks = refuse;
  readonly removeLinks = refuse;
  readonly capabilitiesOf = refuse;
  readonly records = new Map<string, number>();
  /** Records handed out, whole pages. */
  handedOut = 0;
  /** What happens between two requests. */
  meanwhile: () => void = () => {};
  readonly #modes: ListModes;
  #requests = 0;

  constructor(createdMs: readonly number[], modes: ListModes) {
    this.#modes = modes;
    this.limits = { pageSize: modes.pageSize, batchSizeOf: () => 1, writesAtOnce: 4 };
    for (const atMs of createdMs) this.add(atMs);
  }

  add(atMs: number): void {
    this.records.set(String(this.records.size), atMs);
  }

  readPage(request: PageRequest): Promise<Page> {
    this.meanwhile();
    this.#requests += 1;
    const { filter = 'instants', ties = 'stable', total = 'true' } = this.#modes;
    const startOf = (ms: number) => (filter === 'days' ? Math.floor(ms / DAY_MS) * DAY_MS : ms);
    const fromMs = request.from === undefined ? -Infinity : startOf(Date.parse(request.from));
    const toMs = request.to === undefined ? Infinity : Date.parse(request.to);
    const endMs = filter === 'days' ? startOf(toMs) + DAY_MS - 1 : toMs;
    const turn = ties === 'reversed' && this.#requests % 2 === 0 ? -1 : 1;
    const matching = [...this.records]
      .filter(([, atMs]) => atMs >= fromMs && (toMs === Infinity || atMs <= endMs))
      .toSorted(([a, aMs], [b, bMs]) => aMs - bMs || turn * (Number(a) - Number(b)));
    const shown = matching.slice(request.offset, request.offset + request.limit);
    this.handedOut += shown.length;
    const count = { true: matching.length, none: null, tenfold: matching.length * 10 }[total];
    return Promise.resolve({
      records: shown.map(([id, atMs]) => recordAt(id, atMs)),
      total: count,
      more: request.offset + shown.length < matching.length,
    });
  }
}

export function recordAt(id: string, atMs: number | null): RemoteRecord {
  const at = atMs === null ? null : new Date(atMs).toISOString();
  return {
    id,
    fields: {},
    createdAt: at,
    updatedAt: at,
    createdBy: null,
    updatedBy: null,
    mergedIds: [],
    links: {},
  };
}
