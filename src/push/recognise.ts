import type { StrandedEntry } from '../db/outbox/outbox.ts';
import { equalValues } from '../domain/equal.ts';
import type { Birth } from '../domain/field-write.ts';
import type { Json } from '../domain/json.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Field, ObjectSchema } from '../domain/schema.ts';
import { stillShows } from '../domain/still-shows.ts';
import { sharesItem } from './match-answers.ts';

/** A record that was created about then. */
export interface Candidate {
  readonly record: RemoteRecord;
  /** What fields held that were edited here since it came in. */
  readonly before: Readonly<Record<string, Json>>;
  /** What it was created with, as its history tells; null where that does not answer. */
  readonly birth: Birth | null;
}

/** What became of a create that may have arrived. */
export type Recognition = { readonly entry: StrandedEntry } & (
  | {
      readonly kind: 'found';
      readonly record: RemoteRecord;
      /** What it was sent with and shows another value of, untold whether it ever showed it: that one. */
      readonly supplanted?: Readonly<Record<string, Json>>;
    }
  /** A record has its identity: the next claim adopts it. */
  | { readonly kind: 'identified' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'ambiguous'; readonly reason: string }
);

/**
 * Compares creates with the records created about then, by what was sent (invariant 4): one match
 * is it, and of several that are alike each gets one. One that has an identity is known by that,
 * whatever became of the rest since. Pure.
 *
 * @param crmMinusOurMs the CRM's clock against the one by which entries are stamped.
 */
export function recognise(
  schema: ObjectSchema,
  entries: readonly StrandedEntry[],
  candidates: readonly Candidate[],
  crmMinusOurMs = 0,
): readonly Recognition[] {
  const taken = new Set<string>();
  return entries.map((entry): Recognition => {
    const identity = schema.fields.find(({ name }) => name === entry.matchOn);
    if (identity) {
      const isThere = candidates.some(({ record }) => hasIdentity(identity, entry, record));
      return { kind: isThere ? 'identified' : 'missing', entry };
    }
    const free = candidates.filter(({ record }) => !taken.has(record.id));
    const matches = free.filter((candidate) => isWhatWasSent(schema, entry, candidate));
    const [match] = matches;
    if (match === undefined) {
      const [namesake] = free.filter((one) => isNamesake(schema, entry, one));
      if (namesake && wasCreatedBy(schema, entry, namesake, crmMinusOurMs)) {
        taken.add(namesake.record.id);
        const supplanted = supplantedIn(schema, entry, namesake);
        return { kind: 'found', entry, record: namesake.record, supplanted };
      }
      if (namesake) return { kind: 'identified', entry };
      const isEdited = free.some((candidate) => mayBeWhatWasSent(schema, entry, candidate));
      const reason = 'create-ambiguous: a record like the one that was sent was edited since';
      return isEdited ? { kind: 'ambiguous', entry, reason } : { kind: 'missing', entry };
    }
    // Several alike may be several stranded creates of the same content: one each.
    const rivals = entries.filter((other) => sameContent(schema, entry, other)).length;
    if (matches.length > rivals) {
      const reason = 'create-ambiguous: several records look like the one that was sent';
      return { kind: 'ambiguous', entry, reason };
    }
    taken.add(match.record.id);
    return { kind: 'found', entry, record: match.record };
  });
}

function hasIdentity(field: Field, entry: StrandedEntry, record: RemoteRecord): boolean {
  return sharesItem(field, entry.fields[field.name] ?? null, record.fields[field.name] ?? null);
}

/** It has the identity that was sent, which no two records of the CRM have. */
function isNamesake(
  { fields, identity }: ObjectSchema,
  entry: StrandedEntry,
  { record }: Candidate,
): boolean {
  const known = fields.find(({ name }) => name === identity);
  return known !== undefined && hasIdentity(known, entry, record);
}

/** Clocks are known to within a second or two, and a time may be cut to the second. */
const APART_MS = 5_000;

/**
 * A record that has what nobody else may have, and was not there before, came of this create, unless
 * its past tells otherwise.
 */
function wasCreatedBy(
  schema: ObjectSchema,
  entry: StrandedEntry,
  one: Candidate,
  crmMinusOurMs: number,
): boolean {
  const { createdAt } = one.record;
  const isTold = one.birth?.isTold === true || wasOther(schema, entry, one);
  if (isTold || createdAt === null) return false;
  return Date.parse(createdAt) >= Date.parse(entry.sentAt) + crmMinusOurMs - APART_MS;
}

function supplantedIn(
  { fields }: ObjectSchema,
  entry: StrandedEntry,
  { record, before }: Candidate,
): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const { name } = field;
      const sent = entry.fields[name];
      const shown = record.fields[name] ?? null;
      const held = [shown, before[name]];
      const isHeld = held.some((one) => one !== undefined && stillShows(field, sent ?? null, one));
      return sent === undefined || isHeld ? [] : [[name, shown]];
    }),
  );
}

function isWhatWasSent(
  { fields }: ObjectSchema,
  entry: StrandedEntry,
  { record, before, birth }: Candidate,
): boolean {
  const isHeld = (held: (name: string) => readonly (Json | undefined)[]) =>
    fields.every((field) => {
      const sent = entry.fields[field.name];
      if (sent === undefined) return true;
      return held(field.name).some((one) => one !== undefined && stillShows(field, sent, one));
    });
  return (
    isHeld((name) => [record.fields[name] ?? null, before[name]]) ||
    (birth !== null && isHeld((name) => [birth.fields[name] ?? null]))
  );
}

/**
 * Whether a record that is not what was sent may have been: it has changed since, still has some
 * of it, and nothing tells what it was created with. To send once more could make it a second time.
 */
function mayBeWhatWasSent(schema: ObjectSchema, entry: StrandedEntry, one: Candidate): boolean {
  const hasSome = countKept(schema, entry, one) > 0;
  if (wasOther(schema, entry, one)) return false;
  return hasSome && one.birth?.isTold !== true && mayHaveChanged(schema, entry, one);
}

/** It has another identity, or was made with something else than what was sent. */
function wasOther(
  { fields, identity }: ObjectSchema,
  entry: StrandedEntry,
  { record, birth }: Candidate,
): boolean {
  const known = fields.find(({ name }) => name === identity);
  const isNamed = [entry, record].every(({ fields: held }) => {
    const value = held[identity ?? ''] ?? null;
    return known !== undefined && sharesItem(known, value, value);
  });
  if (known && isNamed && !hasIdentity(known, entry, record)) return true;
  return fields.some((field) => {
    const sent = entry.fields[field.name];
    if (sent === undefined || birth?.certain?.has(field.name) !== true) return false;
    return !stillShows(field, sent, birth.fields[field.name] ?? null);
  });
}

/** By its time, or as links do, which are cleared with the record they name and move no time. */
function mayHaveChanged(
  { fields }: ObjectSchema,
  entry: StrandedEntry,
  { record }: Candidate,
): boolean {
  if (record.updatedAt !== null && record.updatedAt !== record.createdAt) return true;
  return fields.every((field) => {
    const stands = record.fields[field.name] ?? null;
    const sent = entry.fields[field.name] ?? stands;
    return stillShows(field, sent, stands) || (field.kind === 'reference' && stands === null);
  });
}

function countKept({ fields }: ObjectSchema, entry: StrandedEntry, { record }: Candidate): number {
  return fields.filter((field) => {
    const sent = entry.fields[field.name] ?? null;
    return sent !== null && stillShows(field, sent, record.fields[field.name] ?? null);
  }).length;
}

/** The records whose history would tell more, the likeliest first. Pure. */
export function findDoubtful(
  schema: ObjectSchema,
  entries: readonly StrandedEntry[],
  candidates: readonly Candidate[],
): readonly RemoteRecord[] {
  const open = entries.filter(
    (entry) =>
      entry.matchOn === null && !candidates.some((one) => isWhatWasSent(schema, entry, one)),
  );
  return candidates
    .filter((one) => open.some((entry) => mayHaveChanged(schema, entry, one)))
    .map((one) => {
      return { one, kept: Math.max(...open.map((entry) => countKept(schema, entry, one))) };
    })
    .toSorted((a, b) => b.kept - a.kept)
    .map(({ one }) => one.record);
}

function sameContent({ fields }: ObjectSchema, a: StrandedEntry, b: StrandedEntry): boolean {
  return fields.every((field) =>
    equalValues(field, a.fields[field.name] ?? null, b.fields[field.name] ?? null),
  );
}
