import { RemoteError } from '../../domain/errors.ts';
import { isObject, type Json } from '../../domain/json.ts';
import type {
  CallOptions,
  JobRecord,
  JobRequest,
  JobState,
  RemoteJobs,
} from '../../domain/remote.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { isNotFound } from '../wire/refusals.ts';
import { bodyOf, OBJECT_DOUBTS } from './contacts.ts';
import { encodeDeclared, identifiersOf } from './custom-codec.ts';
import type { CustomReads } from './custom-reads.ts';
import { type Declared, EXTERNAL_ID } from './declared.ts';
import { typeOf } from './standard.ts';
import { idOf, readId, setOwn, unwritable } from './values.ts';

/** Of one request. */
export const MOST_RECORDS = 1_000;
const MOST_BYTES = 1_000_000;
/** Left for what stands around the records, and for values that are longer on their way. */
export const JOB_BYTES = MOST_BYTES - 20_000;
/** Of one record and type, of one request. */
export const MOST_LINKS = 10;

export interface JobDeps {
  readonly send: Send;
  readonly declared: (object: string) => Declared;
  readonly reads: (object: string) => CustomReads;
}

/** Writes of custom objects: a ticket each, and nothing is said of any record. */
export function createJobs({ send, declared, reads }: JobDeps): RemoteJobs {
  async function hand(
    endpoint: string,
    path: readonly string[],
    { body, records }: { readonly body: string; readonly records: number },
    options: CallOptions,
  ): Promise<string> {
    return await send(
      {
        endpoint,
        method: 'POST',
        path,
        body,
        // What may have been taken is read back, and not handed over twice.
        repeatable: false,
        records,
        doubts: OBJECT_DOUBTS,
        read(answer) {
          const ticket = isObject(answer)
            ? readId(answer['processId'] ?? answer['process_id'])
            : null;
          if (ticket === null) throw new BadAnswer('it tells no process');
          return ticket;
        },
      },
      options,
    );
  }

  async function submit(request: JobRequest, options: CallOptions): Promise<string> {
    const { object } = request.object;
    if (request.kind === 'delete') {
      const ids = request.ids.map(idOf);
      return await hand(
        `POST /objects/${object}/batch/delete`,
        ['objects', object, 'batch', 'delete'],
        { body: bodyOf({ identifiers: { ids } }), records: ids.length },
        options,
      );
    }
    const endpoint = `POST /objects/${object}/batch/upsert`;
    const records = request.records.map((record, index) =>
      encodeRecord(declared(object), record, { endpoint, index }),
    );
    const body = bodyOf({ records });
    if (Buffer.byteLength(body) > MOST_BYTES) throw tooLarge(endpoint, records.length);
    return await hand(
      endpoint,
      ['objects', object, 'batch', 'upsert'],
      { body, records: records.length },
      options,
    );
  }

  async function poll(ticket: string, options: CallOptions): Promise<JobState> {
    try {
      return await send(
        {
          endpoint: 'GET /processes/{id}',
          method: 'GET',
          path: ['processes', ticket],
          repeatable: true,
          doubts: [404],
          read: (body) => stateOf(isObject(body) ? body['status'] : undefined),
        },
        options,
      );
    } catch (error) {
      // Forgotten: what it did shows in its records.
      if (isNotFound(error)) return 'failed';
      throw error;
    }
  }

  return {
    submit,
    poll: ({ ticket }, options) => poll(ticket, options),
    /** Of whatever kind, for no name tells which are jobs of objects. */
    async isIdle(_request, options) {
      return await send(
        {
          endpoint: 'GET /processes',
          method: 'GET',
          path: ['processes'],
          query: [
            ['limit', '50'],
            ['sort', 'desc'],
          ],
          repeatable: true,
          read(body) {
            const list: unknown = isObject(body) ? (body['processes'] ?? []) : undefined;
            if (!Array.isArray(list)) throw new BadAnswer('it is no list of processes');
            return list.every((one: unknown) => isObject(one) && stateOf(one['status']) !== 'open');
          },
        },
        options,
      );
    },
    async readBack({ object, ids, externalIds, links = false }, options) {
      const wanted = new Set(ids);
      const external = new Set(externalIds);
      return await reads(object.object).find(
        ({ id, fields }) => {
          const own = fields[EXTERNAL_ID];
          return wanted.has(id) || (typeof own === 'string' && external.has(own));
        },
        { most: wanted.size + external.size, withLinks: links },
        options,
      );
    },
  };
}

function stateOf(status: unknown): JobState {
  switch (status) {
    case 'completed':
      return 'completed';
    case 'failed':
    case 'cancelled':
      return 'failed';
    default:
      // Queued, under way, or by another name.
      return 'open';
  }
}

interface At {
  readonly endpoint: string;
  readonly index: number;
}

/**
 * By `id` alone where it is there already: an update by `ext_id` would bring a deleted record back.
 * One without any attribute may be dropped, so there is always one.
 */
function encodeRecord(declared: Declared, record: JobRecord, at: At): Json {
  const { id, fields, known = {}, links = [], attempt = 1 } = record;
  const attributes: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (declared.links.has(name)) continue;
    if (name === EXTERNAL_ID) {
      if (id !== null) throw fixedId(declared, at);
      continue;
    }
    const type = declared.fields.get(name);
    // A text is emptied by an empty one, anything else by null; or the other way round.
    const isLikely = attempt % 2 === 1;
    const cleared = (type === 'text') === isLikely ? '' : null;
    if (value === null && id === null) continue;
    setOwn(attributes, name, encodeDeclared(type, value, cleared));
  }
  if (Object.keys(attributes).length === 0) {
    const [name, value] = anyAttribute(declared, known);
    if (name !== undefined) setOwn(attributes, name, value);
  }
  const external = fields[EXTERNAL_ID];
  const identifiers = id === null ? { [EXTERNAL_ID]: external ?? null } : { id: idOf(id) };
  const associations = links.flatMap(({ target, linked, unlinked }) => [
    ...groupOf('link', target, linked),
    ...groupOf('unlink', target, unlinked),
  ]);
  return { identifiers, attributes, ...(associations.length > 0 && { associations }) };
}

function groupOf(
  action: 'link' | 'unlink',
  target: string,
  ids: readonly string[],
): readonly Json[] {
  if (ids.length === 0) return [];
  const records = ids.map((id) => ({ identifiers: identifiersOf(target, id) }));
  return [{ object_type: typeOf(target), action, records }];
}

/** One that changes nothing: as it stands here, or empty where nothing does. */
function anyAttribute(
  { fields }: Declared,
  known: Readonly<Record<string, Json>>,
): readonly [string | undefined, Json] {
  for (const [name, type] of fields) {
    const value = known[name];
    if (value !== undefined && value !== null) return [name, encodeDeclared(type, value, null)];
  }
  const [first] = fields.keys();
  return [first, null];
}

function fixedId(declared: Declared, { endpoint, index }: At): RemoteError {
  const error = unwritable({ endpoint, object: declared.object }, EXTERNAL_ID, {
    says: 'is given when a record is created, and stays',
    hint: 'Revert the change, or create another record.',
  });
  const { message, code, disposition, status, field, hint, reason } = error;
  return new RemoteError(message, {
    code,
    disposition,
    status,
    field,
    hint,
    reason,
    culprit: index,
  });
}

function tooLarge(endpoint: string, records: number): RemoteError {
  return new RemoteError(`${endpoint}: ${records} records are more than Brevo takes at once`, {
    code: 'remote-too-large',
    disposition: 'park',
    status: null,
    hint: 'Smaller batches follow by themselves.',
  });
}
