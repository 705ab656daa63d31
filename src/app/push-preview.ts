import type { Database, Transaction } from '../db/connection/database.ts';
import { acquireLease, readLease } from '../db/lease/lease.ts';
import { countUnsettled } from '../db/outbox/outbox.ts';
import {
  type AdoptedHere,
  makeDue,
  type ParkedHere,
  readAdoptedHere,
  readParkedHere,
} from '../db/outbox/rehearsal.ts';
import type { Json } from '../domain/json.ts';
import type { Outgoing } from '../push/outgoing.ts';
import { type RehearsalDeps, type Rehearsed, rehearse } from '../push/rehearse.ts';

/** What a push would do to one record. */
export interface PreviewedChange {
  readonly object: string;
  readonly recordId: string;
  readonly action: Outgoing['kind'] | 'restore' | 'link' | 'unlink';
  /** Outbox entries that end with it. */
  readonly entries: readonly bigint[];
  readonly fields: readonly {
    readonly field: string;
    /** As both sides last agreed. */
    readonly from: Json;
    readonly to: Json;
  }[];
}

export interface PushPreview {
  readonly changes: readonly PreviewedChange[];
  /** Rows born here that are records the CRM has: their creates become edits, if anything. */
  readonly adopted: readonly AdoptedHere[];
  /** Entries that would be parked before anything is sent. */
  readonly parked: readonly ParkedHere[];
  /** Entries that would still have to wait for others, or for an answer. */
  readonly waiting: number;
}

/** Users may wait for a row that is looked at, so nothing here takes long. */
const LIMITS = { lockTimeoutMs: 2_000, statementTimeoutMs: 60_000 };

/**
 * What a push would send as things stand, in the order in which it would: the push itself, in a
 * transaction that is taken back. Writes nothing and asks the CRM nothing, so what it changed
 * meanwhile is not merged in yet.
 */
export async function previewPush(
  db: Database,
  deps: RehearsalDeps,
  objects?: readonly string[],
): Promise<PushPreview> {
  let preview: PushPreview | null = null;
  try {
    await db.transaction(
      async (tx) => {
        preview = await look(tx, deps, objects);
        throw new TakenBack();
      },
      { asWriter: true, ...LIMITS },
    );
  } catch (error) {
    if (!(error instanceof TakenBack)) throw error;
  }
  return preview ?? NOTHING;
}

class TakenBack extends Error {}

const NOTHING: PushPreview = { changes: [], adopted: [], parked: [], waiting: 0 };

async function look(
  tx: Transaction,
  deps: RehearsalDeps,
  objects: readonly string[] | undefined,
): Promise<PushPreview> {
  // The epoch of whoever leads: what he has in flight stays his.
  const claimed = await acquireLease(tx, { holder: 'push --dry-run', ttlMs: 60_000 });
  const epoch = (claimed ?? (await readLease(tx)))?.epoch;
  if (epoch === undefined) return NOTHING;
  await makeDue(tx);
  const rehearsed = await rehearse(tx, deps, { epoch, objects: objects && new Set(objects) });
  const { pending, blocked, sending } = await countUnsettled(tx, objects);
  return {
    changes: rehearsed.map(describe),
    adopted: await readAdoptedHere(tx),
    parked: await readParkedHere(tx),
    waiting: pending + blocked + sending,
  };
}

function describe(one: Rehearsed): PreviewedChange {
  if ('link' in one) {
    const { object, recordId, field, link } = one;
    const [from, to] = link.kind === 'link' ? [null, link.other] : [link.other, null];
    const entries = [...link.earlier, link.entry];
    return { object, recordId, action: link.kind, entries, fields: [{ field, from, to }] };
  }
  const { kind, recordId, entries, changes, restores } = one.outgoing;
  const fields = { ...one.outgoing.fields, ...one.outgoing.afterwards };
  const shown = kind === 'delete' ? [] : Object.entries(fields);
  return {
    object: one.object,
    recordId,
    action: restores === true ? 'restore' : kind,
    entries,
    fields: shown.map(([field, to]) => ({ field, from: changes[field]?.base ?? null, to })),
  };
}
