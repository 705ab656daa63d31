import { refuse } from './api-error.ts';
import { compileFilters, type FilterParameter, type Filters } from './filter.ts';
import { findField, isLink, isToMany, type LinkField } from './object-definition.ts';
import type { ObjectState } from './object-state.ts';
import type { Switches } from './switches.ts';

export interface PageWindow {
  readonly offset: number;
  readonly limit: number;
}

export interface ListQuery extends PageWindow {
  readonly filters: Filters;
  readonly sort: { readonly column: string; readonly descending: boolean };
  readonly include: readonly LinkField[];
}

const KNOWN =
  /^(?:page\[(?:limit|offset|cursor)\]|sortOrder\[(?:column|dir)\]|filter\[[^\]]+\](?:\[[^\]]*\])?)$/;

/**
 * What looks like paging, sorting or filtering and is not of a known form would be ignored, and the
 * list taken for what was asked for.
 *
 * @throws ApiError 400
 */
export function checkQuery(query: URLSearchParams): void {
  const seen = new Set<string>();
  for (const name of query.keys()) {
    if (!/^(?:page|sortOrder|filter)(?:\[|$)/.test(name)) continue;
    if (!KNOWN.test(name)) throw refuse(400, `Unknown parameter ${name}`);
    if (seen.has(name) && !name.startsWith('filter')) throw refuse(400, `${name} is given twice`);
    seen.add(name);
  }
}

/** @throws ApiError 400 */
export function readListQuery(
  state: ObjectState,
  query: URLSearchParams,
  switches: Switches,
): ListQuery {
  const mode = { ...switches, nullUntilEdit: switches.updatedAtUntilEdit !== 'set' };
  return {
    ...readWindow(query, switches),
    filters: compileFilters(state.definition, filterParameters(query), mode),
    sort: readSort(state, query),
    include: readInclude(state, query),
  };
}

/** @throws ApiError 400 for a page that is too large or no number */
export function readWindow(query: URLSearchParams, switches: Switches): PageWindow {
  const asked = readCount(query, 'page[limit]', switches.pageDefault);
  const offset = readCount(query, 'page[offset]', 0);
  if (asked < 1) throw refuse(400, 'page[limit] must be at least 1');
  if (asked > switches.pageMax && switches.pageOver === 'refuse') {
    throw refuse(400, `page[limit] must not be greater than ${switches.pageMax}`);
  }
  return { offset, limit: Math.min(asked, switches.pageMax) };
}

function readCount(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (!/^\d{1,15}$/.test(text)) throw refuse(400, `${name} must be a whole number`);
  return Number(text);
}

export function filterParameters(query: URLSearchParams): FilterParameter[] {
  const found: FilterParameter[] = [];
  for (const [key, value] of query) {
    const match = /^filter\[([^\]]+)\](?:\[([^\]]*)\])?$/.exec(key);
    if (match === null) continue;
    found.push({ field: match[1] ?? '', operator: match[2] ?? null, value });
  }
  return found;
}

function readSort(state: ObjectState, query: URLSearchParams): ListQuery['sort'] {
  const column = query.get('sortOrder[column]');
  const direction = query.get('sortOrder[dir]');
  if (column === null && direction === null) return { column: '_created_at', descending: false };
  if (column === null) throw refuse(400, 'sortOrder[column] must be given with sortOrder[dir]');
  if (direction !== 'ASC' && direction !== 'DESC') {
    throw refuse(400, 'sortOrder[dir] must be ASC or DESC');
  }
  const field = findField(state.definition, column);
  const known = ['_id', '_created_at', '_updated_at'].includes(column);
  if (!known && (field === undefined || isToMany(field))) {
    throw refuse(400, `Cannot sort by ${column}`);
  }
  return { column, descending: direction === 'DESC' };
}

/** @throws ApiError 400 for a name that is no relationship */
export function readInclude(state: ObjectState, query: URLSearchParams): LinkField[] {
  const names = query
    .getAll('include')
    .flatMap((list) => list.split(','))
    .filter((name) => name !== '');
  return names.map((name) => {
    const field = findField(state.definition, name);
    if (field !== undefined && isLink(field)) return field;
    throw refuse(400, `Unknown relationship ${name} in include`);
  });
}
