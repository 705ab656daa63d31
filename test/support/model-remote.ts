import type { OpenRemote } from '../../src/crm/adapter.ts';
import type { Capabilities } from '../../src/domain/capabilities.ts';
import { RemoteError } from '../../src/domain/errors.ts';
import type { Json } from '../../src/domain/json.ts';
import type { RemoteRecord } from '../../src/domain/record.ts';
import type { Page, PageRequest } from '../../src/domain/remote.ts';
import type { ObjectSchema } from '../../src/domain/schema.ts';
import { seededRandom, shuffled } from '../../src/emulator/kernel/random.ts';

type Fields = Readonly<Record<string, Json>>;

interface Kept {
  readonly id: string;
  readonly fields: Fields;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface ModelOptions {
  readonly capabilities: Capabilities;
  /** What a list by positions is sorted by; by nothing, each answer is in another order. */
  readonly sortedBy?: 'created' | 'updated' | 'nothing';
  readonly pageSize?: number;
  readonly totals?: boolean;
  /** Whether records show when they were last edited. */
  readonly dated?: boolean;
  /** Whether a thing's name says which one it is. */
  readonly named?: boolean;
}

/** One object of a CRM in memory, which can do what its capabilities say and no more. */
export class ModelCrm {
  readonly records = new Map<string, Kept>();
  /** Happens before each page is answered. */
  beforePage: (() => void) | null = null;
  /** Happens once a record was looked at by itself, before it is answered. */
  beforeRecord: ((id: string) => Promise<void>) | null = null;
  /** Pages are in no order, and leave these out. */
  disorder: ReadonlySet<string> | null = null;
  /** Values that somebody else has written and no answer has shown, by the writes that replaced them. */
  readonly overwritten: string[] = [];
  pages = 0;
  /** Records looked at by themselves. */
  reads = 0;
  writes = 0;
  readonly #random = seededRandom('model');
  /** Fields as written by somebody else, until an answer shows them. */
  readonly #unseen = new Map<string, Set<string>>();
  /** Records on a page at most. */
  pageSize: number;
  readonly #options: ModelOptions;
  #nextId = 0;
  #nowMs = Date.now();

  constructor(options: ModelOptions) {
    this.#options = options;
    this.pageSize = options.pageSize ?? 7;
  }

  add(fields: Fields, ageMs = 0): string {
    this.#nextId += 1;
    const id = `r${String(this.#nextId).padStart(5, '0')}`;
    const atMs = this.#tick() - ageMs;
    this.records.set(id, { id, fields, createdMs: atMs, updatedMs: atMs });
    return id;
  }

  /** By somebody else. */
  edit(id: string, fields: Fields): void {
    this.#write(id, fields);
    const unseen = this.#unseen.get(id) ?? new Set();
    for (const name of Object.keys(fields)) unseen.add(name);
    this.#unseen.set(id, unseen);
  }

  #write(id: string, fields: Fields): void {
    const kept = this.records.get(id);
    if (kept === undefined) throw notFound();
    const updatedMs = this.#tick();
    this.records.set(id, { ...kept, fields: { ...kept.fields, ...fields }, updatedMs });
  }

  remove(id: string): void {
    this.records.delete(id);
  }

  /** As it is, to be put back. */
  restore(kept: Kept): void {
    this.records.set(kept.id, { ...kept, updatedMs: this.#tick() });
  }

  open(): OpenRemote {
    const { capabilities, named = false } = this.#options;
    const pageSize = () => this.pageSize;
    const canRead =
      capabilities.deletions.kind === 'feed' || capabilities.deletions.proof !== 'scan';
    const read = (id: string) => {
      const kept = this.records.get(id);
      return kept === undefined ? null : this.#told(kept);
    };
    const none = () => Promise.reject(new Error('this CRM has nothing of the kind'));
    return {
      title: 'Model',
      workspace: 'model',
      discover: async () => [{ ...SCHEMA, identity: named ? 'name' : null }],
      readPage: async (request) => this.#page(request),
      readDeletions: none,
      readRecord: async ({ id }) => {
        const record = canRead ? read(id) : await none();
        this.reads += 1;
        await this.beforeRecord?.(id);
        return record;
      },
      readLinks: none,
      readHistory: async () => null,
      readUsers: async () => [],
      create: async ({ records }) =>
        records.flatMap((fields) => {
          this.writes += 1;
          return read(this.add(fields)) ?? [];
        }),
      update: async ({ records }) =>
        records.flatMap(({ id, fields }) => {
          this.writes += 1;
          for (const name of Object.keys(fields)) {
            if (this.#unseen.get(id)?.has(name) === true) this.overwritten.push(`${id} ${name}`);
          }
          this.#write(id, fields);
          return read(id) ?? [];
        }),
      delete: async ({ ids }) => {
        this.writes += ids.length;
        for (const id of ids) this.remove(id);
        return [];
      },
      setLinks: none,
      removeLinks: none,
      capabilitiesOf: () => capabilities,
      limits: {
        get pageSize() {
          return pageSize();
        },
        batchSizeOf: () => 100,
        writesAtOnce: 1,
      },
      clock: null,
      stats: () => [],
      watch: () => () => {},
      watchHolds: () => () => {},
      stop: async () => {},
    };
  }

  #page({ orderBy, direction, changedSince, from, to, offset, limit }: PageRequest): Page {
    this.beforePage?.();
    this.pages += 1;
    const { capabilities, sortedBy = 'created', totals = true } = this.#options;
    const { changes } = capabilities;
    const isAllowed = {
      updated: changes.kind === 'ordered-filter',
      created: changes.kind === 'ordered-filter' || changes.by === 'created',
      position: changedSince === undefined || changes.kind === 'unordered-filter',
    }[orderBy];
    if (!isAllowed) throw new Error(`this CRM cannot list by ${orderBy}`);
    const column = orderBy === 'updated' ? 'updatedMs' : 'createdMs';
    const sort = orderBy === 'position' && sortedBy === 'updated' ? 'updatedMs' : column;
    const sign = direction === 'asc' ? 1 : -1;
    const within = (kept: Kept) =>
      (from === undefined || kept[column] >= Date.parse(from)) &&
      (to === undefined || kept[column] <= Date.parse(to)) &&
      (changedSince === undefined || kept.updatedMs > Date.parse(changedSince));
    const found = [...this.records.values()].filter(within);
    const all =
      orderBy === 'position' && sortedBy === 'nothing'
        ? shuffled(this.#random, found)
        : found.toSorted((a, b) => sign * (a[sort] - b[sort] || (a.id < b.id ? -1 : 1)));
    let shown = all.slice(offset, offset + Math.min(limit, this.pageSize));
    if (this.disorder !== null) {
      const { disorder } = this;
      shown = shown.toReversed().filter(({ id }) => !disorder.has(id));
    }
    return {
      records: shown.map((kept) => this.#told(kept)),
      total: totals ? all.length : null,
      more: offset + shown.length < all.length,
    };
  }

  #told({ id, fields, createdMs, updatedMs }: Kept): RemoteRecord {
    this.#unseen.delete(id);
    const { dated = true } = this.#options;
    return {
      id,
      fields,
      createdAt: new Date(createdMs).toISOString(),
      updatedAt: dated ? new Date(updatedMs).toISOString() : null,
      createdBy: null,
      updatedBy: null,
      mergedIds: [],
      links: {},
    };
  }

  #tick(): number {
    this.#nowMs = Math.max(this.#nowMs + 1, Date.now());
    return this.#nowMs;
  }
}

function notFound(): RemoteError {
  return new RemoteError('there is no such record', {
    code: 'remote-not-found',
    disposition: 'park',
    status: 404,
  });
}

const field = (name: string, kind: 'text' | 'number') => {
  const rest = {
    label: null,
    unique: false,
    caseInsensitive: false,
    parts: [],
    relationship: null,
  };
  return { name, kind, ...rest };
};

const SCHEMA: ObjectSchema = {
  object: 'thing',
  label: { singular: 'Thing', plural: 'Things' },
  fields: [field('name', 'text'), field('size', 'number')],
  identity: null,
  readOnly: null,
};
