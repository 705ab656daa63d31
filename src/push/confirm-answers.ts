import { equalValues } from '../domain/equal.ts';
import { RemoteError } from '../domain/errors.ts';
import { type Evidence, evidenceOf } from '../domain/evidence.ts';
import type { Json } from '../domain/json.ts';
import type { FieldChanges } from '../domain/merge-record.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { CallOptions, Remote } from '../domain/remote.ts';
import type { ObjectSchema } from '../domain/schema.ts';
import { stillShows } from '../domain/still-shows.ts';
import type { Outgoing } from './outgoing.ts';
import type { Sent } from './sent.ts';

/** Beyond this many, a page of what changed last is looked at first. */
const FEW = 3;
/** Looking takes no longer than this; then the change is sent again later. */
const LOOK_WITHIN_MS = 10_000;
/** What is never shown is sent so often, over some minutes: a write may show late. */
const MOST_UNCONFIRMED = 8;

/**
 * What came of updates that the CRM took, as its answer says (`told`, by change). One that the
 * answer does not hold, or not with what was sent, is read again, in a page of what changed last and
 * then by its id: it is done only where the record shows it, and sent again otherwise. One that is
 * taken time and again and never shows is for a person.
 *
 * @throws RemoteError with disposition `halt`, or the signal's reason.
 */
export async function confirmUpdates(
  remote: Remote,
  schema: ObjectSchema,
  { changes, told }: Answered,
  { priority, signal }: CallOptions,
): Promise<readonly Sent[]> {
  const results = new Map<Outgoing, Sent>();
  const look = (change: Outgoing, record: RemoteRecord | undefined) => {
    if (record === undefined || evidenceIn(schema, change, record) !== 'taken') return;
    results.set(change, { kind: 'delivered', change, record });
  };
  for (const change of changes) look(change, told.get(change));
  const open = () => changes.filter((change) => !results.has(change));
  const reading: CallOptions = { priority, signal, withinMs: LOOK_WITHIN_MS };
  try {
    const { kind } = remote.capabilitiesOf(schema.object).changes;
    if (open().length > FEW && kind === 'ordered-filter') {
      const page = await remote.readPage(
        {
          object: schema,
          orderBy: 'updated',
          direction: 'desc',
          offset: 0,
          limit: remote.limits.pageSize,
        },
        reading,
      );
      const byId = new Map(page.records.map((record) => [record.id, record]));
      for (const change of open()) {
        const record = byId.get(change.recordId);
        if (record && shows(schema, change, record)) look(change, record);
      }
    }
    const read = open().map(async (change) => {
      const record = await remote.readRecord({ object: schema, id: change.recordId }, reading);
      results.set(change, judge(remote.title, schema, { change, record }));
    });
    await settledAll(read);
  } catch (error) {
    if (!(error instanceof RemoteError) || error.disposition === 'halt') throw error;
    // Nobody could be asked: what is sent again does no harm.
    for (const change of open())
      results.set(change, { kind: 'failed', change, error: unseen(remote.title, error) });
  }
  return changes.flatMap((change) => results.get(change) ?? []);
}

interface Answered {
  readonly changes: readonly Outgoing[];
  readonly told: ReadonlyMap<Outgoing, RemoteRecord>;
}

/** By the record as it was read again, by itself. */
function judge(
  title: string,
  schema: ObjectSchema,
  { change, record }: { readonly change: Outgoing; readonly record: RemoteRecord | null },
): Sent {
  if (record === null) return { kind: 'gone', change, error: unconfirmed(title, schema) };
  // A field that is not there now either is empty.
  const empty = Object.fromEntries(Object.keys(change.fields).map((name) => [name, null]));
  const whole = { ...record, fields: { ...empty, ...record.fields } };
  const isLast = change.attempts >= MOST_UNCONFIRMED;
  const isTaken = isLast
    ? evidenceIn(schema, change, whole) === 'taken'
    : shows(schema, change, whole);
  if (isTaken) return { kind: 'delivered', change, record };
  const kind = isLast ? 'refused' : 'failed';
  return { kind, change, error: unconfirmed(title, schema) };
}

/**
 * Whether the record shows every value as it was sent. Where it is not the answer to this very
 * write, a value that is neither the one sent nor the one before may be an earlier write of our own
 * whose answer was lost: it says nothing of this one, which is sent again.
 */
function shows({ fields }: ObjectSchema, change: Outgoing, record: RemoteRecord): boolean {
  return fields.every((field) => {
    const sent = Object.hasOwn(change.fields, field.name) ? change.fields[field.name] : undefined;
    return sent === undefined || stillShows(field, sent, record.fields[field.name] ?? null);
  });
}

/** The least that any of its fields says. */
function evidenceIn(schema: ObjectSchema, change: Outgoing, record: RemoteRecord): Evidence {
  const found = evidenceByField(schema, change.fields, record, (name) =>
    Object.hasOwn(change.changes, name) ? change.changes[name]?.base : undefined,
  );
  return found.find(({ evidence }) => evidence !== 'taken')?.evidence ?? 'taken';
}

/**
 * What of a create its record does not show, as the edit that is left to be made: the record is
 * there, and the value that the CRM passed over is sent once more.
 */
export function leftOut(
  schema: ObjectSchema,
  change: Outgoing,
  record: RemoteRecord,
): FieldChanges {
  const left = evidenceByField(schema, change.fields, record, () => null).filter(
    ({ evidence }) => evidence === 'untaken',
  );
  return {
    ...Object.fromEntries(
      left.map(({ name, value, shown }) => [name, { base: shown ?? null, value }]),
    ),
    ...setAfterwards(schema, change.afterwards, record),
  };
}

/** What could not be said with a create, as the edit that sets it. */
export function setAfterwards(
  { fields }: ObjectSchema,
  afterwards: Outgoing['afterwards'] = {},
  record: RemoteRecord,
): FieldChanges {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const { name } = field;
      const value = Object.hasOwn(afterwards, name) ? afterwards[name] : undefined;
      const base = record.fields[name] ?? null;
      return value === undefined || equalValues(field, value, base)
        ? []
        : [[name, { base, value }]];
    }),
  );
}

/** Fields that do not show what was sent, nor anything that it may have become. */
export function notShown(
  schema: ObjectSchema,
  change: Outgoing,
  record: RemoteRecord,
): FieldChanges {
  return Object.fromEntries(
    evidenceOfChange(schema, change, record)
      .filter(({ evidence }) => evidence !== 'taken')
      .map(({ name, value, shown }) => [name, { base: shown ?? null, value }]),
  );
}

/** What a record says of each field of a change, by what that was made against. */
export function evidenceOfChange(schema: ObjectSchema, change: Outgoing, record: RemoteRecord) {
  return evidenceByField(schema, change.fields, record, (name) => {
    if (change.kind === 'create') return null;
    return Object.hasOwn(change.changes, name) ? change.changes[name]?.base : undefined;
  });
}

/** What a record says of each field that was sent. `baseOf`: the value before, where it is known. */
export function evidenceByField(
  { fields }: ObjectSchema,
  sent: Outgoing['fields'],
  record: RemoteRecord,
  baseOf: (name: string) => Json | undefined,
) {
  const about = fields.filter(({ name }) => Object.hasOwn(sent, name));
  return about.flatMap((field) => {
    const { name } = field;
    const value = sent[name];
    if (value === undefined) return [];
    const shown = Object.hasOwn(record.fields, name) ? record.fields[name] : undefined;
    const evidence = evidenceOf(field, { value, base: baseOf(name) }, shown);
    const isSent = stillShows(field, value, shown ?? null);
    return [{ name, value, shown, evidence, isSent }];
  });
}

/** As `Promise.all`, but nothing is under way any more when it throws. */
async function settledAll(work: readonly Promise<void>[]): Promise<void> {
  for (const one of await Promise.allSettled(work)) {
    if (one.status === 'rejected') throw one.reason;
  }
}

function unconfirmed(title: string, { object }: ObjectSchema): RemoteError {
  return new RemoteError(
    `${title} took the change of a ${object}, and its record does not show it`,
    {
      code: 'push-unconfirmed',
      disposition: 'retry',
      status: null,
    },
  );
}

function unseen(title: string, cause: RemoteError): RemoteError {
  return new RemoteError(
    `${title}’s answer does not show the change, and its record cannot be read`,
    {
      code: 'push-unconfirmed',
      disposition: 'retry',
      status: null,
      retryAfterMs: cause.retryAfterMs,
      cause,
    },
  );
}

/** Of records that are still there although the CRM took their deletion. */
export function undeleted(title: string, { object }: ObjectSchema, change: Outgoing): Sent {
  const error = new RemoteError(
    `${title} took the deletion of a ${object}, and it is still there`,
    {
      code: 'push-unconfirmed',
      disposition: 'retry',
      status: null,
    },
  );
  return { kind: change.attempts < MOST_UNCONFIRMED ? 'failed' : 'refused', change, error };
}
