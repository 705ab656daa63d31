import type { Transaction } from '../db/connection/database.ts';
import { describeTrouble, type RowTrouble } from '../db/connection/row-trouble.ts';
import { findByIdentity } from '../db/mirror/identity-lookup.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { type Adoption, mergeBornRows, readFields, rewriteAdopted } from '../db/outbox/adoption.ts';
import { settleEntries } from '../db/outbox/outbox.ts';
import { readUnsettled } from '../db/outbox/unsettled.ts';
import { mapIds, rewriteReferences } from '../db/rows/identities.ts';
import { lockRows } from '../db/rows/mirror-rows.ts';
import { equalValues, itemKey, sameValue } from '../domain/equal.ts';
import type { Json } from '../domain/json.ts';
import type { FieldChange, PendingEntry } from '../domain/merge-record.ts';
import type { Field } from '../domain/schema.ts';
import { isLocalId, type Outgoing, type Settlement } from './outgoing.ts';

/** A user holds one of the two rows: tried again after this long. */
const HELD_RETRY_MS = 1_000;
/** A constraint or a trigger of others refuses it: only a person can mend that. */
const REFUSED_RETRY_MS = 61_000;
const LONGEST_RETRY_MS = 300_000;

/**
 * Looks up, in the mirror just pulled, who the creates are (invariant 4): one whose e-mail, domain
 * or key is known becomes an edit of that record, what it overwrites kept as base; one that
 * several records answer to is parked.
 *
 * @returns what is still to be created. Runs in the claim's transaction, as writer.
 */
export async function adoptKnown(
  tx: Transaction,
  { tables, table }: { readonly tables: readonly MirrorTable[]; readonly table: MirrorTable },
  outgoing: readonly Outgoing[],
  epoch: bigint,
): Promise<readonly Outgoing[]> {
  const creates = outgoing.filter(({ identity }) => identity !== null);
  const queries = creates.flatMap((create, index) =>
    identityValues(create).map((value) => ({ index, value })),
  );
  const hits = (await findByIdentity(tx, table, queries)).filter(({ id }) => !isLocalId(id));
  if (hits.length === 0) return outgoing;
  const known = new Map<Outgoing, Set<string>>();
  for (const { index, id } of hits) {
    const create = creates[index];
    if (create) known.set(create, (known.get(create) ?? new Set()).add(id));
  }
  const ids = [...new Set(hits.map(({ id }) => id))];
  const rows = [...ids, ...[...known.keys()].map(({ recordId }) => recordId)];
  const locked = await lockRows(tx, table, rows);
  const standing = await readFields(tx, table, rows);
  const unsent = await readUnsettled(tx, table.object, ids);
  // Where a create that may have arrived was deleted since, there is no row to hold.
  const isHeld = (id: string) => standing.has(id) && !locked.has(id);
  const adoptions: Adoption[] = [];
  const settled: Settlement[] = [];
  const taken = new Set<string>();
  for (const [create, candidates] of known) {
    const [id] = candidates;
    const fields = id === undefined ? undefined : standing.get(id);
    const [entry, ...others] = create.entries;
    if (id === undefined || !fields || entry === undefined) continue;
    if (candidates.size > 1) {
      const reason = 'identity-ambiguous: several records have one of its identities';
      settled.push({ ids: create.entries, outcome: { state: 'parked', reason } });
    } else if (isHeld(id) || isHeld(create.recordId) || taken.has(id)) {
      const outcome = { state: 'pending', reason: null, retryInMs: HELD_RETRY_MS } as const;
      settled.push({ ids: create.entries, outcome });
    } else {
      taken.add(id);
      const changes = againstRecord(table, create, asRead(fields, unsent.get(id)));
      adoptions.push({ localId: create.recordId, id, changes, entry });
      settled.push({ ids: others, outcome: { state: 'superseded' } });
      if (Object.keys(changes).length === 0) {
        settled.push({ ids: [entry], outcome: { state: 'done' } });
      }
    }
  }
  if (adoptions.length > 0) {
    const refused = await mergeBornRows(tx, table, adoptions);
    const apart = new Map(refused.map(({ item, trouble }) => [item.localId, trouble]));
    const merged = adoptions.filter(({ localId }) => !apart.has(localId));
    const waits = [...known.keys()].filter(({ recordId }) => apart.has(recordId));
    const waiting = new Set(waits.flatMap(({ entries }) => entries));
    const isMerged = (one: Settlement) => !one.ids.some((entry) => waiting.has(entry));
    await settleEntries(tx, epoch, [
      ...settled.filter(isMerged),
      ...waits.flatMap((create) => waitForRow(create, apart.get(create.recordId))),
    ]);
    await rewriteAdopted(tx, epoch, merged);
    const renames = merged.map(({ localId, id }) => ({ oldId: localId, id }));
    await mapIds(tx, table.object, renames, 'adopted');
    await rewriteReferences(tx, tables);
  } else await settleEntries(tx, epoch, settled);
  return outgoing.filter((change) => !known.has(change));
}

/** The row born here cannot become the record's: its change waits, and says for what. */
function waitForRow(create: Outgoing, trouble: RowTrouble | undefined): readonly Settlement[] {
  if (trouble === undefined) return [];
  const reason = `row-refused: ${describeTrouble(trouble)}`;
  const retryInMs = Math.min(LONGEST_RETRY_MS, REFUSED_RETRY_MS * create.attempts);
  return [{ ids: create.entries, outcome: { state: 'pending', reason, retryInMs } }];
}

/** What the record was when it was read: a row shows what is still to be sent of it. */
function asRead(
  fields: ReadonlyMap<string, Json>,
  unsent: readonly PendingEntry[] = [],
): ReadonlyMap<string, Json> {
  const read = new Map(fields);
  const updates = unsent.filter(({ op }) => op === 'update');
  for (const { changes } of updates.toReversed()) {
    for (const [name, { base }] of Object.entries(changes)) read.set(name, base);
  }
  return read;
}

function identityValues({ fields, identity }: Outgoing): readonly string[] {
  const value = identity === null ? null : fields[identity];
  return [value ?? []].flat().filter((item) => typeof item === 'string');
}

/** What is left to change once the create is measured against the record there is. */
function againstRecord(
  table: MirrorTable,
  create: Outgoing,
  standing: ReadonlyMap<string, Json>,
): Readonly<Record<string, FieldChange>> {
  const byName = new Map(table.schema.fields.map((field) => [field.name, field]));
  const changes = Object.entries(create.changes).flatMap(([name, { value: wanted }]) => {
    const field = byName.get(name);
    const base = standing.get(name) ?? null;
    if (!field) return [];
    // Nobody who names one address means to take away the others.
    const value = field.kind === 'texts' ? union(field, base, wanted) : wanted;
    // By its identity the record was meant, however it was spelt.
    const isSame = name === create.identity ? equalValues : sameValue;
    return isSame(field, base, value) ? [] : [[name, { base, value }] as const];
  });
  return Object.fromEntries(changes);
}

function union(field: Field, base: Json, wanted: Json): Json {
  if (!Array.isArray(base) || !Array.isArray(wanted)) return wanted;
  const items: readonly Json[] = base;
  const there = new Set(items.map((item) => itemKey(field, item)));
  const further: readonly Json[] = wanted;
  return [...items, ...further.filter((item) => !there.has(itemKey(field, item)))];
}
