import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from '../db/connection/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readDueLinks } from '../db/outbox/links.ts';
import { readDueObjects, settleEntries } from '../db/outbox/outbox.ts';
import { renameLinks } from '../db/rows/link-rows.ts';
import type { Json } from '../domain/json.ts';
import type { RemoteRecord } from '../domain/record.ts';
import { claim } from './claim.ts';
import { claimLinkChanges, ending, type SentLink } from './link-claim.ts';
import { viewOfField } from './link-report.ts';
import type { Outgoing } from './outgoing.ts';
import type { PushDeps } from './push-deps.ts';
import { settle } from './settle.ts';
import { sendingOrder } from './writing/sending.ts';

export type RehearsalDeps = Pick<
  PushDeps,
  | 'tables'
  | 'links'
  | 'policyOf'
  | 'identityOf'
  | 'creatingOf'
  | 'removalOf'
  | 'claimSizeOf'
  | 'massDelete'
>;

/** What would be sent about one record, or about one link of it. */
export type Rehearsed = { readonly object: string } & (
  | { readonly outgoing: Outgoing }
  | { readonly recordId: string; readonly field: string; readonly link: SentLink }
);

/** Changes at most: this is for reading. */
const MOST_CHANGES = 10_000;

/**
 * Goes through a push as it would go if the CRM took everything, in a transaction that the caller
 * rolls back: claims what waits, as the real one does, settles it as if it had arrived, and goes
 * on with what that sets free. Ids that the CRM would give are the local ones again in the result.
 */
export async function rehearse(
  tx: Transaction,
  deps: RehearsalDeps,
  about: { readonly epoch: bigint; readonly objects?: ReadonlySet<string> | undefined },
): Promise<readonly Rehearsed[]> {
  const given = new Map<string, string>();
  const rehearsed: Rehearsed[] = [];
  const stage: Stage = { tx, deps, db: within(tx), epoch: about.epoch, given };
  const wanted = (object: string) => about.objects?.has(object) ?? true;
  for (let claimedAny = true; claimedAny && rehearsed.length < MOST_CHANGES; ) {
    claimedAny = false;
    const due = new Set((await readDueObjects(tx)).map(({ object }) => object));
    for (const table of deps.tables.filter(({ object }) => due.has(object) && wanted(object))) {
      for (let next = await pushAll(stage, table); next; next = await pushAll(stage, table)) {
        claimedAny = true;
        rehearsed.push(...next);
        if (rehearsed.length >= MOST_CHANGES) break;
      }
    }
    await renameLinks(tx, deps.links, { all: false });
    for (const field of await readDueLinks(tx, null)) {
      if (!wanted(field.object)) continue;
      for (let next = await linkAll(stage, field); next; next = await linkAll(stage, field)) {
        claimedAny = true;
        rehearsed.push(...next);
        if (rehearsed.length >= MOST_CHANGES) break;
      }
    }
  }
  return rehearsed.map((one) => withLocalIds(one, given));
}

interface Stage {
  readonly tx: Transaction;
  readonly deps: RehearsalDeps;
  readonly db: Pick<Database, 'transaction'>;
  readonly epoch: bigint;
  /** The ids that stand for those the CRM would give. */
  readonly given: Map<string, string>;
}

/** Transactions that are parts of one. */
function within(tx: Transaction): Pick<Database, 'transaction'> {
  return { transaction: (work) => work(tx) };
}

async function pushAll(
  { tx, deps, db, epoch, given }: Stage,
  table: MirrorTable,
): Promise<readonly Rehearsed[] | null> {
  const claimed = await claim({ ...deps, db }, table, { epoch, looked: null });
  if (claimed === null) return null;
  const outgoing = sendingOrder(claimed.outgoing).flat();
  await settle(
    tx,
    table,
    outgoing.map((change) => {
      const record = change.kind === 'create' ? asCreated(change, given) : null;
      return { kind: 'delivered', change, record };
    }),
    {
      ...deps,
      epoch,
      random: () => 0,
      readAt: claimed.readAt,
      removal: deps.removalOf(table.object),
      crmMinusDatabaseMs: 0,
      policyOf: (field) => deps.policyOf(table.object, field),
    },
  );
  return outgoing.map((one) => ({ object: table.object, outgoing: one }));
}

function asCreated({ recordId, fields }: Outgoing, given: Map<string, string>): RemoteRecord {
  const id = `rehearsed:${randomUUID()}`;
  given.set(id, recordId);
  const system = { createdAt: null, updatedAt: null, createdBy: null, updatedBy: null };
  return { id, fields, ...system, mergedIds: [], links: {} };
}

async function linkAll(
  { tx, deps, db, epoch }: Stage,
  due: { readonly object: string; readonly field: string },
): Promise<readonly Rehearsed[] | null> {
  const view = viewOfField(deps.links, due);
  const claimed = view && (await claimLinkChanges(db, view, { epoch }));
  if (!claimed) return null;
  const changes = claimed.outgoing.flatMap(({ recordId, changes: links }) =>
    links.map((link) => ({ ...due, recordId, link })),
  );
  await settleEntries(
    tx,
    epoch,
    changes.flatMap(({ link }) => ending(link, { state: 'done' })),
  );
  return changes;
}

function withLocalIds(one: Rehearsed, given: ReadonlyMap<string, string>): Rehearsed {
  const local = (id: string) => given.get(id) ?? id;
  if ('link' in one) {
    const link = { ...one.link, other: local(one.link.other) };
    return { ...one, recordId: local(one.recordId), link };
  }
  const { outgoing } = one;
  const fields = Object.entries(outgoing.fields).map(([field, value]): [string, Json] => [
    field,
    typeof value === 'string' ? local(value) : value,
  ]);
  const recordId = local(outgoing.recordId);
  return { ...one, outgoing: { ...outgoing, recordId, fields: Object.fromEntries(fields) } };
}
