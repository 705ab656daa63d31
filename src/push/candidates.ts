import { crmMinusDatabaseMs } from '../conflicts/clocks.ts';
import { toScanRecord } from '../conflicts/scan-records.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import type { StrandedEntry } from '../db/outbox/outbox.ts';
import { readDatabaseTime } from '../db/position/cursor.ts';
import { SyncError } from '../domain/errors.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { acceptScanPage, answerCount, nextScanRequest, startScan } from '../domain/scan/scan.ts';
import { createShown } from '../domain/scan/shown.ts';
import { acceptPage, nextRequest, startWalk } from '../domain/walk/walk.ts';
import type { PushDeps } from './push-deps.ts';

/** Clocks may differ, and `_created_at` may be from before the request was answered. */
const BEFORE_SENT_MS = 60_000;
const PAGE_RECORDS = 500;
const MOST_PAGES = 40;
const MOST_RECORDS = PAGE_RECORDS * MOST_PAGES;

/** It cannot be told now whether a create arrived. */
export const UNCLEAR = 'create-unclear';

interface Round {
  readonly entries: readonly StrandedEntry[];
  readonly signal: AbortSignal;
}

/**
 * Records that may be what was sent: those that hold its value of the field by which the object's
 * records are looked for, or those created since where there is no such field, or no such value.
 *
 * @throws SyncError `create-unclear` where too many records were created meanwhile, or the list proves
 *   nothing.
 */
export async function readCandidates(
  deps: Pick<PushDeps, 'remote' | 'db'>,
  table: Pick<MirrorTable, 'object' | 'schema'>,
  { entries, signal }: Round,
): Promise<readonly RemoteRecord[]> {
  const { remote } = deps;
  const { creating } = remote.capabilitiesOf(table.object);
  if (creating.kind !== 'lookup' || remote.findRecords === undefined) {
    return await readCreatedSince(deps, table, { entries, signal });
  }
  const valueOf = ({ fields }: StrandedEntry) => {
    const value = fields[creating.field];
    return typeof value === 'string' && value !== '' ? [value] : [];
  };
  const values = [...new Set(entries.flatMap(valueOf))];
  const request = { object: table.schema, field: creating.field, values };
  const call = { priority: 'push', signal } as const;
  const found = values.length > 0 ? await remote.findRecords(request, call) : [];
  const nameless = entries.filter((entry) => valueOf(entry).length === 0);
  if (nameless.length === 0) return found;
  const created = await readCreatedSince(deps, table, { entries: nameless, signal });
  return [...new Map([...found, ...created].map((record) => [record.id, record])).values()];
}

async function readCreatedSince(
  deps: Pick<PushDeps, 'remote' | 'db'>,
  table: Pick<MirrorTable, 'object' | 'schema'>,
  { entries, signal }: Round,
): Promise<readonly RemoteRecord[]> {
  const skewMs = crmMinusDatabaseMs(deps);
  const earliestMs = Math.min(...entries.map(({ sentAt }) => Date.parse(sentAt)));
  const from = new Date(earliestMs + skewMs - BEFORE_SENT_MS).toISOString();
  const { changes } = deps.remote.capabilitiesOf(table.object);
  switch (changes.kind) {
    case 'unordered-filter':
      return await scanChangedSince(deps, table, from, signal);
    case 'ordered-filter':
      return await walkCreatedSince(deps, table, from, signal);
    case 'full-scan':
      return changes.by === 'created'
        ? await walkCreatedSince(deps, table, from, signal)
        : await readNewestFirst(deps, table, from, signal);
  }
}

/**
 * One call may have created more records than a page holds, all at one time and in no order, and others are
 * deleted meanwhile: no record may be missing here, or it is created once more.
 */
async function walkCreatedSince(
  { remote }: Pick<PushDeps, 'remote'>,
  table: Pick<MirrorTable, 'object' | 'schema'>,
  from: string,
  signal: AbortSignal,
): Promise<readonly RemoteRecord[]> {
  const { pageSize: limit } = remote.limits;
  // No watermark is kept, so that none has to be held back.
  const startedAtMs = Number.POSITIVE_INFINITY;
  let state = startWalk({ orderBy: 'created', from, limit, probe: true, startedAtMs });
  let isProven = false;
  const records = new Map<string, RemoteRecord>();
  for (let request = nextRequest(state); request; request = nextRequest(state)) {
    const call = { priority: 'push', signal } as const;
    const page = await remote.readPage({ object: table.schema, ...request }, call);
    for (const record of page.records) records.set(record.id, record);
    if (records.size > MOST_RECORDS) throw unclear(table);
    const shown = page.records.map(({ id, createdAt, updatedAt }) => {
      return { id, at: createdAt, version: updatedAt };
    });
    const step = acceptPage(state, { records: shown, total: page.total, more: page.more });
    state = step.state;
    isProven = step.verdict === 'ok';
  }
  if (!isProven) throw unclear(table);
  return [...records.values()];
}

/** Of a list in an order of its own, by which what is created last comes first. */
async function readNewestFirst(
  { remote }: Pick<PushDeps, 'remote'>,
  table: Pick<MirrorTable, 'object' | 'schema'>,
  from: string,
  signal: AbortSignal,
): Promise<readonly RemoteRecord[]> {
  const records = new Map<string, RemoteRecord>();
  for (let page = 0, offset = 0; page < MOST_PAGES; page += 1) {
    const { records: read, more } = await remote.readPage(
      {
        object: table.schema,
        orderBy: 'created',
        direction: 'desc',
        from,
        offset,
        limit: PAGE_RECORDS,
      },
      { priority: 'push', signal },
    );
    // Newest first: creates meanwhile only push records to later pages, never past us.
    for (const record of read) records.set(record.id, record);
    const oldest = read.at(-1)?.createdAt ?? null;
    if (!more || read.length === 0 || (oldest !== null && oldest < from))
      return [...records.values()];
    offset += Math.max(1, read.length - 1);
  }
  throw unclear(table);
}

/**
 * What was created has been edited no earlier. The list is in an order of its own, and slides: all of
 * it has to be read, and to be proven.
 */
async function scanChangedSince(
  { remote, db }: Pick<PushDeps, 'remote' | 'db'>,
  table: Pick<MirrorTable, 'object' | 'schema'>,
  changedSince: string,
  signal: AbortSignal,
): Promise<readonly RemoteRecord[]> {
  const startedAtMs = Date.parse(await readDatabaseTime(db)) + crmMinusDatabaseMs({ remote, db });
  const { pageSize: limit } = remote.limits;
  let state = startScan({ startedAtMs, limit, isFiltered: true });
  const records = new Map<string, RemoteRecord>();
  const shown = createShown();
  for (let request = nextScanRequest(state); request; request = nextScanRequest(state)) {
    const read = await remote.readPage(
      {
        object: table.schema,
        orderBy: 'position',
        direction: 'asc',
        changedSince,
        ...request,
      },
      { priority: 'push', signal },
    );
    for (const record of read.records) records.set(record.id, record);
    if (records.size > MOST_RECORDS) throw unclear(table);
    const { pass } = state;
    const listed = { ...read, records: read.records.map(toScanRecord) };
    const step = acceptScanPage(state, { ...listed, offset: read.offset ?? request.offset });
    const ids = read.records.map(({ id }) => id);
    shown.note({ pass, ids, joined: step.joined.flatMap((index) => ids[index] ?? []) });
    const { totals } = step.state;
    state = step.asksCount ? answerCount(step.state, shown.count(totals.length)) : step.state;
  }
  if (state.verdict !== 'ok') throw unclear(table);
  return [...records.values()];
}

function unclear({ object }: Pick<MirrorTable, 'object'>): SyncError {
  return new SyncError(
    `too many records of ${object} were created meanwhile to tell whether a create arrived`,
    { code: UNCLEAR, disposition: 'retry' },
  );
}
