import { stringifyJson } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import type { Fields } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { forbidden, notFound, wrongKey } from './api-error.ts';
import {
  anyObject,
  type Business,
  findField,
  findRecord,
  liveRecord,
  type ObjectState,
  objectState,
  type StoredRecord,
} from './business.ts';
import type { Field } from './field.ts';
import { pageOf } from './paging.ts';
import { exactNamesakes } from './records.ts';
import { renderRecord, renderTarget, shownTargets } from './render.ts';
import { pickFields } from './search-route.ts';

/** `GET /records/{object}/{id}`: hidden fields only where they are asked for. */
export function readRoute(business: Business, request: ApiRequest): Answer {
  const state = objectState(business, request.param('object'));
  const record = liveRecord(state, request.param('id'));
  return oneRecord(business, state, record, request);
}

/** `GET /records/{object}/lookup?identifier=`: the first whose key is exactly that. */
export function lookupRoute(business: Business, request: ApiRequest): Answer {
  const state = anyObject(business, request.param('object'));
  if (!state.access.view) throw forbidden();
  const identifier = request.query.get('identifier') ?? '';
  if (identifier === '') {
    throw wrongKey(business.switches, 'identifier', 'This field is required.', 'required');
  }
  const [found] = exactNamesakes(state, identifier);
  if (found === undefined) throw notFound();
  return oneRecord(business, state, found, request, true);
}

function oneRecord(
  business: Business,
  state: ObjectState,
  record: StoredRecord,
  { query }: ApiRequest,
  isAll = query.get('all_fields') === 'true' || query.get('include_hidden_fields') === 'true',
): Answer {
  const names = listIn(query, 'field_names');
  const ids = listIn(query, 'field_ids');
  const isNarrow = query.has('field_names') || query.has('field_ids');
  const asked: Fields = isNarrow ? { field_names: names, field_ids: ids } : {};
  const picks = pickFields(asked);
  const isShown = (field: Field): boolean => picks(field) && (isNarrow || isAll || !field.hidden);
  const told = renderRecord(business, state, record, { picks: isShown });
  return { status: 200, text: stringifyJson(told), recordsRead: 1 };
}

/** Given once with commas, or several times. */
function listIn(query: URLSearchParams, name: string): string[] {
  return query.getAll(name).flatMap((text) => text.split(','));
}

/** `GET /records/{id}/field-values/{field}`: all records of one relation. */
export function fieldValuesRoute(business: Business, request: ApiRequest): Answer {
  const [id, fieldId] = [request.param('id'), request.param('field')];
  for (const state of business.objects) {
    const record = findRecord(state, id);
    if (record === null || !state.access.view) continue;
    const field = findField(state, fieldId);
    if (field === null || field.relation === null || field.id !== fieldId || !field.access.view)
      break;
    return pageOf(business, request, shownTargets(business, field, record), (target) =>
      renderTarget(business, field, target),
    );
  }
  throw notFound();
}
