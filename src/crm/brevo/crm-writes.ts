import { RemoteError } from '../../domain/errors.ts';
import { isObject, type Json } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, LinkWrite, Remote } from '../../domain/remote.ts';
import { BadAnswer } from '../wire/call.ts';
import { gone } from '../wire/refusals.ts';
import { deleteOne, oneByOne } from '../wire/single-writes.ts';
import type { Attribute } from './attribute.ts';
import type { Clearing, ClearingForms } from './clearing.ts';
import { NOTHING_KNOWN } from './contact-writes.ts';
import { bodyOf } from './contacts.ts';
import { decodeCrmRecord, encodeCrmFields } from './crm-codec.ts';
import { type CrmDeps, type CrmReads, PATHS } from './crm-reads.ts';
import type { InNewestOptions } from './newest-options.ts';
import type { Stages } from './stages.ts';
import { COMPANIES, DEALS } from './standard.ts';
import { idOf, readId, unwritable } from './values.ts';

type Fields = Readonly<Record<string, Json>>;

export interface CrmWriteDeps extends CrmDeps {
  readonly reads: CrmReads;
  readonly clearing: ClearingForms;
  readonly stages: Stages;
  readonly inNewest: InNewestOptions;
}

const NAMES = { companies: 'name', deals: 'deal_name' } as const;

/** How links of one field are named in a request that changes single ones. */
const LINKS: Readonly<Record<string, Readonly<Record<string, { link: string; unlink: string }>>>> =
  {
    companies: {
      contacts: { link: 'linkContactIds', unlink: 'unlinkContactIds' },
      deals: { link: 'linkDealsIds', unlink: 'unlinkDealsIds' },
    },
    deals: {
      contacts: { link: 'linkContactIds', unlink: 'unlinkContactIds' },
      companies: { link: 'linkCompanyIds', unlink: 'unlinkCompanyIds' },
    },
  };

/** Creates, updates, deletions and links of companies, or deals, one a call. */
export function createCrmWrites(
  deps: CrmWriteDeps,
): Pick<Remote, 'create' | 'update' | 'delete' | 'setLinks' | 'removeLinks'> {
  const { send, object, attributes, reads, clearing, stages, inNewest } = deps;
  const path = PATHS[object];
  const name = `/${path.join('/')}`;

  async function readOne(id: string, { priority, signal }: CallOptions): Promise<RemoteRecord> {
    const schema = { object, label: { singular: '', plural: '' }, fields: [] };
    const request = { object: { ...schema, identity: null, readOnly: null }, id };
    const record = await reads.readRecord(request, { priority, signal });
    if (record === null) throw gone({ object });
    return record;
  }

  async function create(fields: Fields, options: CallOptions): Promise<RemoteRecord> {
    const endpoint = `POST ${name}`;
    const title = fields[NAMES[object]];
    if (typeof title !== 'string' || title === '') {
      throw unwritable({ endpoint, object }, NAMES[object], {
        says: 'is empty',
        hint: 'Give it a name: Brevo takes none without.',
      });
    }
    const whole = await withPipeline(endpoint, fields, { id: null, options });
    const { [NAMES[object]]: _named, ...rest } = whole;
    const values = encodeCrmFields({ object, endpoint, attributes: attributes() }, rest, () => {
      return undefined;
    });
    const id = await send(
      {
        endpoint,
        method: 'POST',
        path,
        body: bodyOf({ name: title, attributes: values }),
        // Nothing identifies it: one that may have arrived is looked for (invariant 4).
        repeatable: false,
        records: 1,
        read(answer) {
          const told = isObject(answer) ? readId(answer['id']) : null;
          if (told === null) throw new BadAnswer('it does not tell the id of the record');
          return told;
        },
      },
      options,
    );
    try {
      return await readOne(id, options);
    } catch (error) {
      if (!(error instanceof RemoteError) || error.disposition === 'halt') throw error;
      // It is there; what became of its values shows with the next pull.
      return { ...NOTHING_KNOWN, id };
    }
  }

  async function update(
    { id, fields }: { readonly id: string; readonly fields: Fields },
    options: CallOptions,
  ): Promise<RemoteRecord> {
    const endpoint = `PATCH ${name}/{id}`;
    const whole = await withPipeline(endpoint, fields, { id, options });
    const hasNone = Object.values(whole).some(
      (value) => value === null || (Array.isArray(value) && value.length === 0),
    );
    let record: RemoteRecord;
    try {
      record = await patch(id, { fields: whole, form: clearing.first(object) }, options);
    } catch (error) {
      // What clears may be refused in one form and taken in the other.
      const isRefused = error instanceof RemoteError && error.code === 'remote-invalid';
      if (!hasNone || !isRefused || error.status === null) throw error;
      record = await patch(id, { fields: whole, form: clearing.other(object) }, options);
      clearing.learn(object);
    }
    const kept = clearing.notCleared(whole, record);
    if (kept === null) return record;
    const again = await patch(id, { fields: kept, form: clearing.other(object) }, options).catch(
      (error: unknown) => {
        if (error instanceof RemoteError && error.disposition === 'park') return record;
        throw error;
      },
    );
    if (clearing.notCleared(kept, again) === null) clearing.learn(object);
    return again;
  }

  async function patch(
    id: string,
    { fields, form }: { readonly fields: Fields; readonly form: Clearing },
    options: CallOptions,
  ): Promise<RemoteRecord> {
    const endpoint = `PATCH ${name}/{id}`;
    const encoding = { object, endpoint, attributes: attributes() };
    const values = encodeCrmFields(encoding, fields, (attribute) => clearedBy(form, attribute));
    // Its name is an attribute, and beside them as well.
    const title = fields[NAMES[object]];
    const told = await send(
      {
        endpoint,
        method: 'PATCH',
        path: [...path, id],
        body: bodyOf({ ...(typeof title === 'string' && { name: title }), attributes: values }),
        repeatable: true,
        records: 1,
        doubts: [403],
        // A company answers with itself, a deal with nothing.
        read: (answer) => recordIn(answer, id),
      },
      options,
    );
    return told ?? (await readOne(id, options));
  }

  function recordIn(answer: unknown, id: string): RemoteRecord | null {
    if (!isObject(answer) || !isObject(answer['attributes'])) return null;
    const record = decodeCrmRecord(object, attributes(), { id, ...answer });
    return record.id === id && record.updatedAt !== null ? record : null;
  }

  /** A move to another stage says of which pipeline it is; a move to another pipeline, to which stage. */
  async function withPipeline(
    endpoint: string,
    fields: Fields,
    { options }: { readonly id: string | null; readonly options: CallOptions },
  ): Promise<Fields> {
    if (object !== DEALS) return fields;
    const { deal_stage: stage, pipeline } = fields;
    if (stage == null && pipeline == null) return fields;
    if (typeof stage !== 'string') {
      throw unwritable({ endpoint, object }, 'pipeline', {
        says: 'is written without a stage of it',
        hint: 'Write `pipeline` and `deal_stage` together.',
      });
    }
    const found = await stages.pipelineOf(stage, options);
    if (found === null || (typeof pipeline === 'string' && pipeline !== found)) {
      throw unwritable({ endpoint, object }, 'deal_stage', {
        says: found === null ? 'is no stage of any pipeline' : 'is no stage of that pipeline',
        hint: 'Write the id of a stage, as other deals have it.',
      });
    }
    return { ...fields, pipeline: found };
  }

  async function remove(id: string, options: CallOptions): Promise<void> {
    await deleteOne(send, { endpoint: `DELETE ${name}/{id}`, path: [...path, id] }, options);
  }

  async function relink(
    { id, field }: Pick<LinkWrite, 'id' | 'field'>,
    { added, removed }: { readonly added: readonly string[]; readonly removed: readonly string[] },
    options: CallOptions,
  ): Promise<void> {
    const names = LINKS[object]?.[field];
    if (names === undefined || added.length + removed.length === 0) return;
    await send(
      {
        endpoint: `PATCH ${linkRoot(object)}/link-unlink/{id}`,
        method: 'PATCH',
        path: [...path, 'link-unlink', id],
        body: bodyOf({
          ...(added.length > 0 && { [names.link]: added.map((one) => otherId(field, one)) }),
          ...(removed.length > 0 && { [names.unlink]: removed.map((one) => otherId(field, one)) }),
        }),
        repeatable: true,
        records: 1,
        doubts: [403],
        read: () => undefined,
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
    async setLinks({ id, field, ids }, options) {
      const { priority, signal } = options;
      const stands =
        reads.lastLinks.take(id, field) ??
        (await readOne(id, { priority, signal })).links[field]?.ids ??
        [];
      const added = ids.filter((one) => !stands.includes(one));
      const removed = stands.filter((one) => !ids.includes(one));
      await relink({ id, field }, { added, removed }, options);
    },
    async removeLinks({ id, field, ids }, options) {
      await relink({ id, field }, { added: [], removed: ids }, options);
      return true;
    },
  };
}

function linkRoot(object: CrmDeps['object']): string {
  return object === COMPANIES ? '/companies' : '/crm/deals';
}

/** Contacts have numbers, companies and deals texts. */
function otherId(field: string, id: string): string | number {
  return field === 'contacts' ? idOf(id) : id;
}

/** A text is emptied by an empty one, anything else by null; or the other way round. */
function clearedBy(form: Clearing, attribute: Attribute | undefined): Json {
  const isText = attribute?.type === 'text' || attribute?.type === 'user';
  if (attribute?.type === 'options' && form === 'other') return [];
  return isText === (form === 'likely') ? '' : null;
}
