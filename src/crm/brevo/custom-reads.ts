import { isObject } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, ReadBack, Remote } from '../../domain/remote.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { type NumberedPage, numberedPage } from '../wire/numbered-page.ts';
import { createPageLimit } from '../wire/page-limit.ts';
import { gone, isNotFound, untold } from '../wire/refusals.ts';
import { OBJECT_DOUBTS } from './contacts.ts';
import { decodeCustomRecord, idShown, numberShown, numbersShown } from './custom-codec.ts';
import type { Declared } from './declared.ts';
import { createListedLinks } from './listed-links.ts';
import { typeOf } from './standard.ts';
import { readId } from './values.ts';

export interface CustomDeps {
  readonly send: Send;
  readonly declared: Declared;
}

/** Attempts at a page whose length shows that it was cut. */
const MOST_CUTS = 4;
/** Readings of everything, where what is looked for does not show and the list has moved. */
const MOST_READINGS = 3;
/** Companies and deals whose numbers are remembered. */
const MOST_NUMBERS = 100_000;
/** No list is as long as so many pages. */
const MOST_PAGES = 10_000;

export interface CustomReads extends Pick<Remote, 'readPage' | 'readRecord' | 'readLinks'> {
  /** Those of the list that are wanted. */
  find(
    wanted: (record: RemoteRecord) => boolean,
    about: { readonly most: number; readonly withLinks: boolean },
    options: CallOptions,
  ): Promise<ReadBack>;
  /** Requests that all of it took, the last time. */
  readonly pages: number;
}

/** Every endpoint that reads records of one custom object. There is none that reads one alone. */
export function createCustomReads({ send, declared }: CustomDeps): CustomReads {
  const { object } = declared;
  // What is more than the server takes is refused, or cut in silence: nobody says which.
  const pageLimit = createPageLimit([1_000, 500, 100, 50, 10]);
  const listed = createListedLinks();
  /** Of the last page: by which numbers links were shown whose ends may be known by now. */
  const shownBy = new Map<string, readonly (string | null)[]>();
  /** Companies and deals by the numbers that associations show of them. */
  const byNumber = new Map<string, string>();
  const knownAs = (target: string, number: string | null) =>
    byNumber.get(`${target} ${number ?? ''}`) ?? null;
  let cutTo = Number.POSITIVE_INFINITY;
  /** Records on the longest page so far: no page is cut to less. */
  let longest = 0;
  let pages = 1;

  async function ask(
    page: NumberedPage,
    { withLinks, direction }: { readonly withLinks: boolean; readonly direction: 'asc' | 'desc' },
    options: CallOptions,
  ): Promise<{ readonly records: RemoteRecord[]; readonly count: number }> {
    return await send(
      {
        endpoint: `GET /objects/${object}/records`,
        method: 'GET',
        path: ['objects', object, 'records'],
        query: [
          ['limit', String(page.size)],
          ['page_num', String(page.number)],
          ['sort', direction],
          ['association', String(withLinks)],
        ],
        repeatable: true,
        doubts: OBJECT_DOUBTS,
        read(body) {
          const count = isObject(body) ? body['count'] : undefined;
          const items: unknown = isObject(body) ? (body['records'] ?? []) : undefined;
          if (typeof count !== 'number' || !Array.isArray(items)) {
            throw new BadAnswer(`it is no list of ${object}`);
          }
          shownBy.clear();
          const records = items.map((item: unknown) => {
            const record = decodeCustomRecord(declared, item, knownAs);
            for (const [link, numbers] of withLinks ? numbersShown(declared, item) : []) {
              shownBy.set(`${link} ${record.id}`, numbers);
            }
            return record;
          });
          return { records, count };
        },
      },
      options,
    );
  }

  /** The count is trusted, and never a short page: one that is shorter than it should be was cut. */
  async function readFrom(
    offset: number,
    about: {
      readonly limit: number;
      readonly withLinks: boolean;
      readonly direction: 'asc' | 'desc';
    },
    options: CallOptions,
  ) {
    for (let cuts = 0; cuts < MOST_CUTS; cuts += 1) {
      const page = numberedPage(offset, Math.min(about.limit, cutTo));
      const { records, count } = await ask(page, about, options);
      longest = Math.max(longest, records.length);
      const expected = Math.max(0, Math.min(page.size, count - page.offset));
      if (records.length >= expected) {
        pages = Math.max(1, Math.ceil(count / Math.min(pageLimit.size, cutTo)));
        const end = page.offset + records.length;
        return { records, offset: page.offset, total: count, more: end < count };
      }
      // One that is shorter than others were is not cut: the list and its count do not agree.
      if (records.length < Math.max(1, longest)) break;
      cutTo = records.length;
    }
    throw untold({ object }, 'whole page');
  }

  async function find(
    wanted: (record: RemoteRecord) => boolean,
    { most, withLinks }: { readonly most: number; readonly withLinks: boolean },
    options: CallOptions,
  ): Promise<ReadBack> {
    const found = new Map<string, RemoteRecord>();
    let heldStill = false;
    for (let left = MOST_READINGS; left > 0 && found.size < most && !heldStill; left -= 1) {
      const totals = new Set<number>();
      const seen = new Set<string>();
      // What was written lately comes first, whichever of its times sorts the list.
      for (let offset = 0, more = true, page = 0; more && page < MOST_PAGES; page += 1) {
        const read = await pageLimit.request(pageLimit.size, (limit) =>
          readFrom(offset, { limit, withLinks, direction: 'desc' }, options),
        );
        for (const record of read.records) {
          seen.add(record.id);
          if (wanted(record) && !found.has(record.id)) found.set(record.id, record);
        }
        totals.add(read.total);
        offset = read.offset + read.records.length;
        more = read.more && found.size < most;
      }
      // One that moves to a page that was read pushes another onto the next, where it comes twice.
      heldStill = totals.size === 1 && totals.has(seen.size);
    }
    return { records: [...found.values()], isWhole: heldStill || found.size >= most };
  }

  async function readAssociated(
    id: string,
    field: string,
    { priority, signal }: CallOptions,
  ): Promise<readonly string[]> {
    const target = declared.links.get(field);
    if (target === undefined) return [];
    const ids = new Set<string>();
    for (let offset: number | string = 0, more = true; more; ) {
      const page: AssociatedPage = await send(
        {
          endpoint: `GET /objects/${object}/associated-records`,
          method: 'GET',
          path: ['objects', object, 'associated-records'],
          query: [
            ['id', id],
            ['type', typeOf(target)],
            ['offset', String(offset)],
          ],
          repeatable: true,
          read: readAssociatedPage,
        },
        { priority, signal },
      );
      const before = ids.size;
      for (const { type, told } of page.items) {
        const one = type === typeOf(target) ? idShown(target, told) : null;
        if (one === null) continue;
        ids.add(one);
        const number = numberShown(told);
        if (number !== null && byNumber.size < MOST_NUMBERS)
          byNumber.set(`${target} ${number}`, one);
      }
      more = page.more && page.items.length > 0 && (ids.size > before || page.next !== offset);
      // What is told may be where this page begins, or where the next one does.
      const next: number = Number(offset) + page.items.length;
      offset = Number(page.next ?? next) > Number(offset) ? (page.next ?? next) : next;
    }
    return [...ids];
  }

  return {
    find,
    get pages() {
      return pages;
    },
    async readPage(request, options) {
      const { offset, direction, include = [] } = request;
      const withLinks = include.length > 0;
      const page = await pageLimit.request(request.limit, (limit) =>
        readFrom(offset, { limit, withLinks, direction }, options),
      );
      const records = page.records.map((record) => (withLinks ? listed.complete(record) : record));
      return { ...page, records };
    },
    async readRecord({ id }, options) {
      const about = { most: 1, withLinks: false };
      const { records, isWhole } = await find((one) => one.id === id, about, options);
      if (!isWhole) throw untold({ object }, 'place in a list that moves');
      return records[0] ?? null;
    },
    async readLinks({ id, field }, options) {
      const target = declared.links.get(field) ?? '';
      const numbers = shownBy.get(`${field} ${id}`) ?? [];
      const known = numbers.flatMap((one) => knownAs(target, one) ?? []);
      shownBy.delete(`${field} ${id}`);
      if (numbers.length > 0 && known.length === numbers.length) {
        return { ids: known, total: known.length, more: false };
      }
      try {
        const ids = await readAssociated(id, field, options);
        listed.keep(id, field, ids);
        return { ids, total: ids.length, more: false };
      } catch (error) {
        if (isNotFound(error)) throw gone({ object });
        throw error;
      }
    },
  };
}

interface AssociatedPage {
  readonly more: boolean;
  readonly next: string | null;
  readonly items: readonly { readonly type: string; readonly told: unknown }[];
}

function readAssociatedPage(body: unknown): AssociatedPage {
  const items: unknown = isObject(body) ? (body['items'] ?? []) : undefined;
  if (!isObject(body) || !Array.isArray(items)) {
    throw new BadAnswer('it is no list of associated records');
  }
  return {
    more: body['has_more'] === true,
    next: readId(body['offset']),
    items: items.flatMap((item: unknown) =>
      isObject(item) ? [{ type: readId(item['type']) ?? '', told: item['object'] }] : [],
    ),
  };
}
