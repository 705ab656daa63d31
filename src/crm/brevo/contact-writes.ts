import { changedError, RemoteError } from '../../domain/errors.ts';
import { isObject, type Json } from '../../domain/json.ts';
import { normalForm } from '../../domain/normal-form.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import { BadAnswer } from '../wire/call.ts';
import { gone } from '../wire/refusals.ts';
import { deleteOne, oneByOne } from '../wire/single-writes.ts';
import type { Clearing, ClearingForms } from './clearing.ts';
import { asNumbers, type ContactBody, encodeContact } from './contact-codec.ts';
import { bodyOf, type ContactDeps, type ContactReads } from './contacts.ts';
import type { InNewestOptions } from './newest-options.ts';
import { CONTACTS } from './standard.ts';
import { readId, unwritable } from './values.ts';

type Fields = Readonly<Record<string, Json>>;

export interface ContactWriteDeps extends ContactDeps {
  readonly reads: ContactReads;
  readonly clearing: ClearingForms;
  readonly inNewest: InNewestOptions;
}

const CREATE = 'POST /contacts';
const UPDATE = 'PUT /contacts/{id}';
const IDENTIFIERS = ['email', 'ext_id', 'sms'] as const;

/** Creates, updates and deletions of contacts, one a call. */
export function createContactWrites(
  deps: ContactWriteDeps,
): Pick<Remote, 'create' | 'update' | 'delete'> {
  const { send, attributes, reads, clearing, inNewest } = deps;
  const schema = { object: CONTACTS };

  async function readOne(id: string, { priority, signal }: CallOptions): Promise<RemoteRecord> {
    const request = { object: EMPTY_SCHEMA, id };
    const record = await reads.readRecord(request, { priority, signal });
    if (record === null) throw gone(schema);
    return record;
  }

  /**
   * Never with `updateEnabled`, which would put our `ext_id` in the place of theirs, nor with
   * `forceMerge`, which deletes a contact: what is there already is found out about and adopted.
   */
  async function create(fields: Fields, options: CallOptions): Promise<RemoteRecord> {
    if (!IDENTIFIERS.some((name) => fields[name] != null)) {
      throw unwritable({ endpoint: CREATE, object: CONTACTS }, 'email', {
        says: 'is empty, and so are ext_id and sms',
        hint: 'Give the contact one of the three: Brevo takes none without.',
      });
    }
    const body = encodeContact(attributes(), fields, { endpoint: CREATE, clearing: null });
    const { lists, ...rest } = body;
    const id = await send(
      {
        endpoint: CREATE,
        method: 'POST',
        path: ['contacts'],
        body: bodyOf({
          ...rest,
          ...(lists !== undefined && lists.length > 0 && { listIds: asNumbers(lists) }),
          updateEnabled: false,
        }),
        // One that may have arrived is looked for by its e-mail (invariant 4).
        repeatable: false,
        records: 1,
        read(answer) {
          const told = isObject(answer) ? readId(answer['id']) : null;
          if (told === null) throw new BadAnswer('it does not tell the id of the contact');
          return told;
        },
      },
      options,
    ).catch(async (error: unknown) => {
      throw await whoHasIt(error, fields, options);
    });
    try {
      return await readOne(id, options);
    } catch (error) {
      if (!(error instanceof RemoteError) || error.disposition === 'halt') throw error;
      // It is there; what became of its values shows with the next pull.
      return { ...NOTHING_KNOWN, id };
    }
  }

  /** A contact with its e-mail is adopted by the next claim, which takes in what changed first. */
  async function whoHasIt(failure: unknown, fields: Fields, call: CallOptions): Promise<unknown> {
    const isTaken = failure instanceof RemoteError && failure.code === 'remote-duplicate';
    const { email } = fields;
    if (!isTaken || typeof email !== 'string') return failure;
    const request = { object: EMPTY_SCHEMA, field: 'email', values: [email] };
    const { priority, signal } = call;
    try {
      const found = await reads.findRecords(request, { priority, signal });
      if (found.length === 0) return failure;
    } catch (error) {
      // Who has it is not known then; that it is taken is.
      if (error instanceof RemoteError) return failure;
      throw error;
    }
    return changedError(failure, {
      code: 'remote-busy',
      disposition: 'retry',
      message: `${CREATE}: a contact with this e-mail has just come about, and is read first`,
    });
  }

  async function update(
    { id, fields }: { readonly id: string; readonly fields: Fields },
    options: CallOptions,
  ): Promise<RemoteRecord> {
    // Whoever writes an identifier again that a contact has is told that it is taken.
    const needsCurrent = [...IDENTIFIERS, 'list_ids'].some((name) => Object.hasOwn(fields, name));
    const current = needsCurrent ? await readOne(id, options) : null;
    const wanted = current === null ? fields : withoutSame(fields, current);
    let record = await write(
      id,
      { fields: wanted, current, form: clearing.first(CONTACTS) },
      options,
    );
    const kept = clearing.notCleared(wanted, record);
    if (kept === null) return record;
    record = await write(
      id,
      { fields: kept, current: null, form: clearing.other(CONTACTS) },
      options,
    );
    if (clearing.notCleared(kept, record) === null) clearing.learn(CONTACTS);
    return record;
  }

  async function write(
    id: string,
    {
      fields,
      current,
      form,
    }: {
      readonly fields: Fields;
      readonly current: RemoteRecord | null;
      readonly form: Clearing;
    },
    options: CallOptions,
  ): Promise<RemoteRecord> {
    const body = encodeContact(attributes(), fields, { endpoint: UPDATE, clearing: form });
    const sent = updateBody(body, current);
    if (Object.keys(sent).length === 0) return current ?? (await readOne(id, options));
    await send(
      {
        endpoint: UPDATE,
        method: 'PUT',
        path: ['contacts', id],
        query: [['identifierType', 'contact_id']],
        body: bodyOf(sent),
        // An identifier that has arrived would be refused the next time.
        repeatable: !IDENTIFIERS.some((name) => Object.hasOwn(fields, name)),
        records: 1,
        doubts: [403],
        read: () => undefined,
      },
      options,
    );
    return await readOne(id, options);
  }

  async function remove(id: string, options: CallOptions): Promise<void> {
    await deleteOne(
      send,
      {
        endpoint: 'DELETE /contacts/{id}',
        path: ['contacts', id],
        query: [['identifierType', 'contact_id']],
      },
      options,
    );
  }

  return {
    create: ({ records }, options) =>
      oneByOne(records, (fields) => inNewest(options, () => create(fields, options))),
    update: ({ records }, options) =>
      oneByOne(records, (record) => inNewest(options, () => update(record, options))),
    async delete({ ids }, options) {
      await oneByOne(ids, (id) => remove(id, options));
      return [];
    },
  };
}

/** Contacts are read by their id alone, whatever is known of their schema. */
const EMPTY_SCHEMA = {
  object: CONTACTS,
  label: { singular: CONTACTS, plural: CONTACTS },
  fields: [],
  identity: null,
  readOnly: null,
};

export const NOTHING_KNOWN: Omit<RemoteRecord, 'id'> = {
  fields: {},
  createdAt: null,
  updatedAt: null,
  createdBy: null,
  updatedBy: null,
  mergedIds: [],
  links: {},
};

/** An address is the same in whatever case, and a number in whatever form. */
function withoutSame(fields: Fields, current: RemoteRecord): Fields {
  const keyOf = (name: string, value: Json | undefined): string | null => {
    if (typeof value !== 'string') return null;
    if (name === 'email') return value.toLowerCase();
    return name === 'sms' ? normalForm('msisdn', value) : value;
  };
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => {
      const isIdentifier = IDENTIFIERS.some((one) => one === name);
      return !isIdentifier || keyOf(name, value) !== keyOf(name, current.fields[name]);
    }),
  );
}

/** A new e-mail goes in among the attributes; lists are named one by one. */
function updateBody(
  { email, lists, attributes, ...rest }: ContactBody,
  current: RemoteRecord | null,
): Readonly<Record<string, Json>> {
  const all = { ...attributes, ...(email !== undefined && { EMAIL: email }) };
  const held: unknown = current?.fields['list_ids'] ?? [];
  const stands = Array.isArray(held) ? held.flatMap((one: unknown) => readId(one) ?? []) : [];
  const added = lists?.filter((id) => !stands.includes(id)) ?? [];
  const removed = lists === undefined ? [] : stands.filter((id) => !lists.includes(id));
  return {
    ...rest,
    ...(Object.keys(all).length > 0 && { attributes: all }),
    ...(added.length > 0 && { listIds: asNumbers(added) }),
    ...(removed.length > 0 && { unlinkListIds: asNumbers(removed) }),
  };
}
