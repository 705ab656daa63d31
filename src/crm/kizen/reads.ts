import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, PageRequest, Recognition, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { askedLinks } from '../wire/asked-links.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { readRecognised } from '../wire/recognised.ts';
import { gone, isNotFound } from '../wire/refusals.ts';
import type { Catalog } from './catalog.ts';
import type { Decoder } from './decode-record.ts';
import { idOf } from './decode-value.ts';
import { readList } from './envelope.ts';
import { CREATED, UPDATED } from './fields.ts';
import { type Filter, searchBody } from './filters.ts';
import type { NumberedPage } from './page-plan.ts';
import { createPageSizes, type PageSizes } from './page-sizes.ts';

export interface ReadDeps {
  readonly send: Send;
  readonly decoder: Decoder;
  readonly catalog: Catalog;
  readonly pageSizes: PageSizes;
}

/** Of a list: the object stops. */
const OBJECT_DOUBTS = [403, 404];
/** Records of one name: more share it than any list could hold. */
const MOST_NAMESAKES_PAGES = 10;

type Reads = Pick<Required<Remote>, 'readPage' | 'readRecord' | 'readLinks' | 'findRecords'> & {
  readonly lookUp: LookUp;
  readonly isThere: IsThere;
};

/** Whether a record of an object is there, whatever it holds. */
export type IsThere = (object: string, id: string, options: CallOptions) => Promise<boolean>;

/** The record that is found by this name, or this address, exactly; null where none is. */
export type LookUp = (
  schema: ObjectSchema,
  identifier: string,
  options: CallOptions,
) => Promise<RemoteRecord | null>;

interface Search {
  readonly filters: readonly Filter[];
  readonly ordering: string;
  readonly offset: number;
  readonly limit: number;
  readonly recognition?: Recognition | undefined;
}

/** Every endpoint that reads records. */
export function createReads(deps: ReadDeps): Reads {
  const { send, decoder, catalog, pageSizes } = deps;
  // Other lists, other caps.
  const linkPageSizes = createPageSizes();

  async function search(schema: ObjectSchema, wanted: Search, options: CallOptions) {
    const { object } = schema;
    const { filters, ordering, recognition } = wanted;
    const read = (item: unknown) => decoder.record(schema, item, { kind: 'whole' });
    const conclude = (body: unknown, told?: RemoteRecord[]) => {
      const { items, count, more } = readList(body);
      const records = told ?? items.map(read);
      return { records, length: records.length, count, more };
    };
    const { answer, page } = await pageSizes.request(wanted, async ({ page: number, size }) => {
      const call = {
        endpoint: `POST /records/${object}/search`,
        method: 'POST',
        isQuery: true,
        path: ['records', object, 'search'],
        query: [
          ['page', String(number)],
          ['page_size', String(size)],
          ['ordering', ordering],
        ],
        body: JSON.stringify(searchBody(filters)),
        repeatable: true,
        doubts: number === 1 ? OBJECT_DOUBTS : [403],
      } as const;
      try {
        if (recognition !== undefined) {
          const basis = decoder.basis(schema);
          const list = { member: 'results', recognition, basis, read, conclude };
          const found = await readRecognised(send, call, list, options);
          if (found !== null) return found;
        }
        return await send({ ...call, read: (body) => conclude(body) }, options);
      } catch (error) {
        // Of the object that says as little as an empty page.
        if (number > 1 && isNotFound(error)) return PAST_THE_END;
        throw error;
      }
    });
    return { ...answer, offset: page.offset };
  }

  /** By its id, of which a record is shown whole; null where it is not there. */
  async function readOne(
    { object: schema, id, certain = false }: Parameters<Remote['readRecord']>[0],
    options: CallOptions,
  ): Promise<RemoteRecord | null> {
    const { object } = schema;
    return await unlessGone(
      send(
        {
          endpoint: `GET /records/${object}/{id}`,
          method: 'GET',
          path: ['records', object, id],
          query: [['include_hidden_fields', 'true']],
          repeatable: true,
          doubts: certain ? OBJECT_DOUBTS : undefined,
          read: (body) => decoder.record(schema, body, { kind: 'whole' }),
        },
        options,
      ),
    );
  }

  const isThere: IsThere = async (object, id, options) => {
    const found = await unlessGone(
      send(
        {
          endpoint: `GET /records/${object}/{id}`,
          method: 'GET',
          path: ['records', object, id],
          repeatable: true,
          read: (body) => idOf(body),
        },
        options,
      ),
    );
    return found === id;
  };

  const lookUp: LookUp = async (schema, identifier, options) => {
    const { object } = schema;
    return await unlessGone(
      send(
        {
          endpoint: `GET /records/${object}/lookup`,
          method: 'GET',
          path: ['records', object, 'lookup'],
          query: [['identifier', identifier]],
          repeatable: true,
          read: (body) => decoder.record(schema, body, { kind: 'whole' }),
        },
        options,
      ),
    );
  };

  async function findByName(
    schema: ObjectSchema,
    field: string,
    value: string,
    options: CallOptions,
  ): Promise<readonly RemoteRecord[]> {
    const found = new Map<string, RemoteRecord>();
    // Spaces at the ends are not kept.
    const wanted = value.trim();
    const first = await lookUp(schema, wanted, options);
    if (first !== null) found.set(first.id, first);
    const known = catalog.object(schema.object)?.byName.get(field);
    if (known === undefined) return [...found.values()];
    const filters: readonly Filter[] = [{ field: known, condition: '=', value: wanted }];
    for (let page = 0, offset = 0; page < MOST_NAMESAKES_PAGES; page += 1) {
      const asked = { filters, ordering: CREATED, offset, limit: pageSizes.size };
      const { records, more, offset: from } = await search(schema, asked, options);
      for (const record of records) found.set(record.id, record);
      if (!more || records.length === 0) break;
      offset = from + records.length;
    }
    return [...found.values()].filter((record) => record.fields[field] === wanted);
  }

  return {
    lookUp,
    isThere,
    async readPage(request, options) {
      const { object, include, offset, limit, recognition } = request;
      const wanted = { ...searchFor(request, catalog), offset, limit, recognition };
      const { records, count, more, offset: from } = await search(object, wanted, options);
      return {
        records: records.map(askedLinks(include)),
        total: count,
        more,
        offset: from,
      };
    },

    readRecord: readOne,

    async findRecords({ object, field, values }, options) {
      const found: RemoteRecord[] = [];
      for (const value of values) found.push(...(await findByName(object, field, value, options)));
      return found;
    },

    async readLinks({ object, id, field, offset, limit }, options) {
      const known = catalog.object(object.object)?.byName.get(field);
      if (known === undefined) throw gone(object);
      const readPage = async ({ page, size }: NumberedPage) => {
        const asked = send(
          {
            endpoint: `GET /records/{id}/field-values of ${object.object}`,
            method: 'GET',
            path: ['records', id, 'field-values', known.id],
            query: [
              ['page', String(page)],
              ['page_size', String(size)],
            ],
            repeatable: true,
            read: readList,
          },
          options,
        );
        const list = page === 1 ? await asked : ((await unlessGone(asked)) ?? NOTHING);
        return { ...list, length: list.items.length };
      };
      const wanted = { offset, limit: Math.min(limit, LINKS_PAGE) };
      const { answer: list, page } = await linkPageSizes.request(wanted, readPage);
      const ids = list.items.map(linkedId);
      return {
        ids: ids.slice(Math.max(0, offset - page.offset)),
        total: list.count,
        more: list.more,
      };
    },
  };
}

/** Behind the last page. */
const PAST_THE_END = { records: [], length: 0, count: null, more: false };
const NOTHING = { items: [], count: null, more: false };
const LINKS_PAGE = 100;

function searchFor({ orderBy, direction, ...request }: PageRequest, catalog: Catalog) {
  const { object, changedSince, from, to } = request;
  const byName = catalog.object(object.object)?.byName;
  const filterOn = (name: string, bounds: Pick<PageRequest, 'from' | 'to'>): Filter[] => {
    const field = { id: byName?.get(name)?.id ?? '', name, isDefault: true };
    const lower =
      bounds.from === undefined ? [] : [{ field, condition: '>=', value: bounds.from } as const];
    const upper =
      bounds.to === undefined ? [] : [{ field, condition: '<=', value: bounds.to } as const];
    return [...lower, ...upper];
  };
  const sign = direction === 'desc' ? '-' : '';
  if (orderBy === 'position') {
    const filters = filterOn(UPDATED, { from: changedSince });
    // Whoever is edited goes to the end of what was edited, and stays in place among all.
    return { filters, ordering: changedSince === undefined ? CREATED : UPDATED };
  }
  const column = orderBy === 'created' ? CREATED : UPDATED;
  return { filters: filterOn(column, { from, to }), ordering: `${sign}${column}` };
}

function linkedId(item: unknown): string {
  const id = idOf(item);
  if (id === null) throw new BadAnswer('a linked record has no id');
  return id;
}

async function unlessGone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}
