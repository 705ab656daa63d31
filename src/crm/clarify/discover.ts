import { RemoteError } from '../../domain/errors.ts';
import type { CallOptions } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { isNotFound } from '../wire/refusals.ts';
import { SCHEMAS } from './answer-error.ts';
import { type List, readList } from './envelope.ts';
import { readFirst } from './reads.ts';
import { checkSchemas, readSchemas } from './schemas.ts';
import type { WireForms } from './wire-forms.ts';

const USER = 'user';
/** One list must not keep the schema waiting. */
const PATIENCE_MS = 10_000;

type Query = readonly (readonly [name: string, value: string])[];

/** A workspace has a few hundred schemas at most: a server that goes on for ever is broken. */
const MOST_PAGES = 200;

/**
 * Reads the workspace's schema. `classic` is called where the answer is the older dialect's: one
 * array instead of a list with a cursor.
 */
export async function discover(
  { send, forms, classic }: { send: Send; forms: WireForms; classic: () => void },
  options: CallOptions,
): Promise<readonly ObjectSchema[]> {
  const items: unknown[] = [];
  const seen = new Set<string>();
  let query: Query | null = [];
  while (query !== null) {
    if (seen.size === MOST_PAGES) throw endless();
    seen.add(JSON.stringify(query));
    const page: { list: List; next: Query | null } = await send(
      {
        endpoint: SCHEMAS,
        method: 'GET',
        path: ['schemas'],
        query,
        repeatable: true,
        doubts: [402, 403, 404],
        read(body) {
          const list = readList(body);
          if (list.items.length === 0 && items.length === 0) {
            throw new BadAnswer('the workspace has no schema');
          }
          if (Array.isArray(body)) classic();
          checkSchemas(list.items);
          return { list, next: nextQuery(list) };
        },
      },
      options,
    );
    items.push(...page.list.items);
    // A cursor that comes back would go on for ever.
    query = page.next !== null && !seen.has(JSON.stringify(page.next)) ? page.next : null;
  }
  return await withoutUsers(send, readSchemas(items, forms), options);
}

/** Users are often listed as an object, and have a list of their own instead of records. */
async function withoutUsers(
  send: Send,
  objects: readonly ObjectSchema[],
  options: CallOptions,
): Promise<readonly ObjectSchema[]> {
  if (!objects.some(({ object }) => object === USER)) return objects;
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const signal = AbortSignal.any([options.signal, patience]);
  try {
    await readFirst(send, { object: USER, attempts: 1 }, { ...options, signal });
  } catch (error) {
    options.signal.throwIfAborted();
    if (isNotFound(error)) return objects.filter(({ object }) => object !== USER);
    // Whatever else it is concerns that list alone, and is found out when it is read.
    if (!(error instanceof RemoteError) && !patience.aborted) throw error;
  }
  return objects;
}

function endless(): RemoteError {
  return new RemoteError(`GET /schemas: no end after ${MOST_PAGES} pages`, {
    code: 'remote-bad-answer',
    disposition: 'retry',
    status: 200,
  });
}

/** Only the query of the link is used: where it leads is our own base address (invariant 13). */
function nextQuery({ next }: List): Query | null {
  if (typeof next !== 'string') return null;
  const start = next.indexOf('?');
  const pairs = [...new URLSearchParams(start === -1 ? '' : next.slice(start + 1).split('#')[0])];
  return pairs.length === 0 ? null : pairs;
}
