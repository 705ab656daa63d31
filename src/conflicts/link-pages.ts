import { type Database, withinLockTimeout } from '../db/connection/database.ts';
import { type LinkTable, type LinkView, linkViews, ownViews } from '../db/mirror/links.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { countLinks, readStandingLinks } from '../db/rows/link-rows.ts';
import { readUnchanged } from '../db/rows/record-digests.ts';
import { RemoteError } from '../domain/errors.ts';
import type { Linkage, RemoteRecord } from '../domain/record.ts';
import type { CallOptions, Page, PageRequest, Recognition, Remote } from '../domain/remote.ts';

/** What reading links takes. */
export interface LinkReadDeps {
  readonly db: Pick<Database, 'schemas' | 'transaction' | 'repeatedSingle'>;
  readonly remote: Remote;
  readonly links: readonly LinkTable[];
  readonly linkRefusals: LinkRefusals;
}

/** Fields whose links the CRM does not list with its records, as found out by asking. */
export interface LinkRefusals {
  has(object: string, field: string): boolean;
  add(object: string, field: string): void;
  /** Of one object, in no order. */
  of(object: string): readonly string[];
}

/** @param onRefusal told once per field: its links are not brought over. */
export function createLinkRefusals(
  onRefusal: (refused: { object: string; field: string }) => void,
): LinkRefusals {
  const refused = new Map<string, Set<string>>();
  return {
    has: (object, field) => refused.get(object)?.has(field) ?? false,
    add(object, field) {
      const fields = refused.get(object) ?? new Set();
      refused.set(object, fields.add(field));
      onRefusal({ object, field });
    },
    of: (object) => [...(refused.get(object) ?? [])],
  };
}

/**
 * - `changed` what a pull brings: both ends of every pair, since a link may have been made from
 *   either; a long list that agrees in number and in what is listed is taken to be unchanged
 * - `all` what a sweep brings: the own end of every pair, one being enough, and every list whole
 */
export type LinkDepth = 'changed' | 'all';

export interface LinkedPage extends Page {
  readonly requests: number;
  /**
   * Database time from before whatever is read next: when it was looked up what is known of its records;
   * null where it was not.
   */
  readonly lookedAt: string | null;
}

/**
 * A page of records with their links. Lists that the answer capped are completed, a few records at
 * a time; those that cannot be stay capped, and only add. Fields that the CRM refuses to include
 * are remembered and done without.
 *
 * @throws RemoteError
 */
export async function readLinkedPage(
  deps: LinkReadDeps,
  table: MirrorTable,
  request: Omit<PageRequest, 'object' | 'include'>,
  options: CallOptions & {
    readonly depth: LinkDepth;
    /** Whether records may come as they are known, without their fields. */
    readonly recognises?: boolean;
  },
): Promise<LinkedPage> {
  const { depth, recognises = false, ...call } = options;
  const views = depth === 'all' ? ownViews : linkViews;
  const asked = views(deps.links, table.object).filter(
    ({ here }) => !deps.linkRefusals.has(table.object, here.field),
  );
  let lookedAt: string | null = null;
  const recognition = recognises
    ? recognitionOf(deps, table, {
        asked,
        onLook(at) {
          lookedAt = at;
        },
      })
    : undefined;
  const { page, requests, told } = await readIncluding(
    deps,
    table,
    { request: { ...request, recognition }, asked },
    call,
  );
  if (told.length === 0) return { ...page, requests, lookedAt };
  const completed = await completeLinks(deps, table, { page, told, depth }, call);
  const { records } = completed;
  return { ...page, records, requests: requests + completed.requests, lookedAt };
}

/** What comes of a record hangs on the columns that there are for it. */
function recognitionOf(
  { db }: LinkReadDeps,
  table: MirrorTable,
  {
    asked: views,
    onLook,
  }: {
    readonly asked: readonly LinkView[];
    readonly onLook: (at: string | null) => void;
  },
): Recognition {
  const columns = table.columns.map(({ column, sqlType, field }) => [column, sqlType, field]);
  return {
    basis: JSON.stringify(columns),
    async find(ends) {
      const { records, at } = await readUnchanged(db, table, { ends, views });
      onLook(at);
      return records;
    },
  };
}

async function readIncluding(
  deps: LinkReadDeps,
  table: MirrorTable,
  { request, asked }: { request: Omit<PageRequest, 'object'>; asked: readonly LinkView[] },
  call: CallOptions,
): Promise<{ page: Page; requests: number; told: readonly LinkView[] }> {
  const { remote, linkRefusals } = deps;
  const read = (fields: readonly string[], limit = request.limit) =>
    remote.readPage(
      { object: table.schema, ...request, limit, ...(fields.length > 0 && { include: fields }) },
      call,
    );
  const fields = asked.map(({ here }) => here.field);
  try {
    return { page: await read(fields), requests: 1, told: asked };
  } catch (error) {
    if (fields.length === 0 || !isRefusal(error)) throw error;
  }
  // Without links it works, or it is about something else and fails again.
  const page = await read([]);
  for (const field of fields) {
    try {
      await read([field], 1);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      linkRefusals.add(table.object, field);
    }
  }
  return { page, requests: 2 + fields.length, told: [] };
}

function isRefusal(error: unknown): boolean {
  return error instanceof RemoteError && error.status === 400;
}

interface Capped {
  readonly record: RemoteRecord;
  readonly view: LinkView;
  readonly linkage: Linkage;
}

/** Long lists completed at the same time. */
const AT_ONCE = 4;

async function completeLinks(
  deps: LinkReadDeps,
  table: MirrorTable,
  read: { readonly page: Page; readonly told: readonly LinkView[]; readonly depth: LinkDepth },
  call: CallOptions,
): Promise<{ readonly records: RemoteRecord[]; readonly requests: number }> {
  const { page, told, depth } = read;
  const capped = told.flatMap((view) =>
    page.records.flatMap((record) => {
      const linkage = Object.hasOwn(record.links, view.here.field)
        ? record.links[view.here.field]
        : undefined;
      return linkage && linkage.ids.length < linkage.total ? [{ record, view, linkage }] : [];
    }),
  );
  if (capped.length === 0) return { records: page.records, requests: 0 };
  const queue = depth === 'all' ? [...capped] : await changedOnes(deps, capped);
  const whole = new Map<RemoteRecord, Record<string, Linkage>>();
  let requests = 0;
  const work = async () => {
    for (let one = queue.shift(); one; one = queue.shift()) {
      const { record, view } = one;
      const request = { object: table.schema, id: record.id, field: view.here.field };
      const list = await readLinkList(deps.remote, request, call);
      requests += list.requests;
      if (list.kind !== 'whole') continue;
      const links = whole.get(record) ?? { ...record.links };
      links[view.here.field] = { ids: [...list.ids], total: list.ids.size };
      whole.set(record, links);
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
  const records = page.records.map((record) => {
    const links = whole.get(record);
    if (links === undefined) return record;
    // What was found to stand is what the page told of.
    const { standing: _, ...rest } = record;
    return { ...rest, links };
  });
  return { records, requests };
}

/** Those whose list differs from what stands, as far as it tells: an idle pull completes none. */
async function changedOnes(deps: LinkReadDeps, capped: readonly Capped[]): Promise<Capped[]> {
  const changed: Capped[] = [];
  for (const view of new Set(capped.map((one) => one.view))) {
    const ofView = capped.filter((one) => one.view === view);
    const ids = ofView.map(({ record }) => record.id);
    const counts = await countLinks(withinLockTimeout(deps.db), view, ids);
    const listed = ofView.flatMap(({ record, linkage }) =>
      linkage.ids.map((there) => ({ here: record.id, there })),
    );
    const standing = new Map<string, number>();
    for (const { here } of await readStandingLinks(withinLockTimeout(deps.db), view, listed)) {
      standing.set(here, (standing.get(here) ?? 0) + 1);
    }
    changed.push(
      ...ofView.filter(({ record, linkage }) => {
        const agrees =
          counts.get(record.id) === linkage.total && standing.get(record.id) === linkage.ids.length;
        return !agrees;
      }),
    );
  }
  return changed;
}

/** Of the endpoint that pages through a list. */
const PAGE_RECORDS = 500;
const MOST_READS = 3;

/** `gone`: the record is not there. `moving`: the list did not hold still. */
export type LinkList =
  | { readonly kind: 'whole'; readonly ids: ReadonlySet<string>; readonly requests: number }
  | { readonly kind: 'gone' | 'moving'; readonly requests: number };

/**
 * Every record linked by one field. The list is paged by offset while it may change, so it counts
 * only where as many came as the server says there are, from the first page to the last.
 */
export async function readLinkList(
  remote: Remote,
  request: { readonly object: MirrorTable['schema']; readonly id: string; readonly field: string },
  call: CallOptions,
): Promise<LinkList> {
  let requests = 0;
  for (let attempt = 1; attempt <= MOST_READS; attempt += 1) {
    const ids = new Set<string>();
    const totals = new Set<number | null>();
    let isStuck = false;
    for (let more = true; more; ) {
      let page: Awaited<ReturnType<Remote['readLinks']>>;
      try {
        const window = { offset: ids.size, limit: PAGE_RECORDS };
        page = await remote.readLinks({ ...request, ...window }, call);
      } catch (error) {
        const isGone = error instanceof RemoteError && error.status === 404;
        if (isGone) return { kind: 'gone', requests: requests + 1 };
        throw error;
      }
      requests += 1;
      const before = ids.size;
      for (const id of page.ids) ids.add(id);
      totals.add(page.total);
      // There is more, and it does not come.
      isStuck = page.more && ids.size === before;
      more = page.more && !isStuck;
    }
    const [total = null] = totals;
    const isWhole = !isStuck && totals.size === 1 && (total === null || total === ids.size);
    if (isWhole) return { kind: 'whole', ids, requests };
  }
  return { kind: 'moving', requests };
}
