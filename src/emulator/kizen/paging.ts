import { type Json, stringifyJson } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { ApiError } from '../kernel/api-error.ts';
import type { Fields } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { refuse, wrongKey } from './api-error.ts';
import type { Business } from './business.ts';
import type { Switches } from './switches.ts';

export interface PageAsked {
  /** From 1. */
  readonly page: number;
  readonly size: number;
}

/** A `page_size` that no server refuses, though its pages may be shorter. */
const ALWAYS_TAKEN = 100;

/** @throws ApiError 400, 404 */
export function readPage(
  switches: Switches,
  { query }: ApiRequest,
  { initial, most }: { readonly initial: number; readonly most: number },
): PageAsked {
  const page = Number(query.get('page') ?? 1);
  if (!Number.isInteger(page) || page < 1) throw invalidPage();
  const given = query.get('page_size') ?? '';
  const asked = /^[1-9]\d*$/.test(given) ? Number(given) : Math.min(initial, most);
  const cap = Math.max(most, ALWAYS_TAKEN);
  if (asked > cap && switches.pageOver === 'refuse') {
    throw wrongKey(switches, 'page_size', `Ensure this value is less than or equal to ${cap}.`);
  }
  return { page, size: Math.min(asked, most) };
}

function invalidPage(): ApiError {
  return refuse(404, 'not_found', 'Invalid page.');
}

export interface Page {
  /** Of all that could stand on pages. */
  readonly total: number;
  /** Told instead. */
  readonly count?: number;
  readonly results: readonly Json[];
  /** Told beside the envelope. */
  readonly more?: Fields;
}

/**
 * A page in its envelope; `next` is a whole URL. Where a part of it cannot be had, that is a 400 of the
 * same form.
 *
 * @throws ApiError 404 past the last page, 400
 */
export function answerPage(
  { switches, random }: Business,
  request: ApiRequest,
  { page, size }: PageAsked,
  { total, count = total, results, more = {} }: Page,
): Answer {
  const last = Math.max(1, Math.ceil(total / size));
  if (page > last && switches.pastEnd === '404') throw invalidPage();
  const told = {
    count,
    next: page < last ? pageUrl(switches, request, page + 1) : null,
    previous: page > 1 ? pageUrl(switches, request, page - 1) : null,
    results,
    errors: [],
    ...more,
  };
  if (switches.partialShare > 0 && random.next() < switches.partialShare) {
    const errors = ['Some of the results could not be loaded.'];
    const part = results.slice(0, Math.floor(results.length / 2));
    throw new ApiError(400, { ...told, results: part, errors });
  }
  return { status: 200, text: stringifyJson(told) };
}

function pageUrl(
  { nextLinks }: Pick<Switches, 'nextLinks'>,
  { host, pathname, query }: ApiRequest,
  page: number,
): string {
  const params = new URLSearchParams(query);
  params.set('page', String(page));
  const origin = nextLinks === 'dead' ? 'https://internal.kizen.invalid' : `http://${host}`;
  return `${origin}${pathname}?${params.toString()}`;
}

/** A list in full, cut into pages. @throws ApiError 400, 404 */
export function pageOf<T>(
  business: Business,
  request: ApiRequest,
  all: readonly T[],
  render: (item: T) => Json,
  more: Fields = {},
): Answer {
  const { switches } = business;
  const most = switches.listPage;
  const asked = readPage(switches, request, { initial: most, most });
  const shown = all.slice((asked.page - 1) * asked.size, asked.page * asked.size);
  return answerPage(business, request, asked, {
    total: all.length,
    results: shown.map(render),
    more,
  });
}
