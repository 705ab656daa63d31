import type { Json } from '../../domain/json.ts';
import { type SortedList, sortedList } from '../kernel/sorted-list.ts';
import { invalid } from './api-error.ts';
import { textOf } from './attributes.ts';
import { endOf } from './crm-items.ts';
import { ofType } from './links.ts';
import { sinceFilter } from './query.ts';
import type { CrmItem, CrmState, Workspace } from './workspace.ts';

type Passes = (item: CrmItem) => boolean;

/** The links that lists can be narrowed by, as each kind calls them. */
const LINKS: ReadonlyMap<string, string> = new Map([
  ['linkedContactsIds', 'contact'],
  ['linkedDealsIds', 'deal'],
  ['linkedCompaniesIds', 'company'],
]);

/** Everything that narrows a list of companies or deals; null where nothing does. @throws ApiError 400 */
export function crmFilter(
  workspace: Workspace,
  state: CrmState,
  query: URLSearchParams,
): Passes | null {
  const filters: Passes[] = [];
  const since = sinceFilter(query, workspace.switches);
  if (since !== null) filters.push(since);
  for (const [name, wanted] of query) {
    const [, filtered] = /^filters\[(.+)\]$/.exec(name) ?? [];
    const [, attribute] = /^attributes\.(.+)$/.exec(filtered ?? '') ?? [];
    const type = LINKS.get(filtered ?? name);
    if (type !== undefined) {
      filters.push(({ id }) =>
        ofType(workspace.links.shown(endOf(state, id)), type).some((link) => link.id === wanted),
      );
    } else if (attribute !== undefined) {
      if (!state.attributes.some((each) => each.name === attribute)) {
        throw invalid(`filters name no attribute ${attribute}`);
      }
      filters.push(({ attributes }) => textOf(attributes[attribute] ?? '') === wanted);
    } else if (filtered !== undefined) throw invalid(`${name} is no filter`);
  }
  return filters.length === 0 ? null : (item) => filters.every((passes) => passes(item));
}

/** By creation, or by a field. @throws ApiError 400 for an unknown one */
export function crmOrder(state: CrmState, query: URLSearchParams): SortedList<CrmItem> {
  const listed = state.shelf.listed();
  const by = query.get('sortBy');
  if (by === null || by === 'created_at') return listed;
  if (!state.attributes.some(({ name }) => name === by)) throw invalid('sortBy names no field');
  const valueOf = (item: CrmItem): Json =>
    by.startsWith('last_updated') ? item.updatedMs : (item.attributes[by] ?? null);
  return sortedList(
    (a, b) => compare(valueOf(a), valueOf(b)) || a.order - b.order,
    listed.slice(0, listed.size()),
  );
}

function compare(a: Json, b: Json): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [textOf(a ?? ''), textOf(b ?? '')];
  return left < right ? -1 : left > right ? 1 : 0;
}
