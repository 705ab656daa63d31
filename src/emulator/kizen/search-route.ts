import type { Answer } from '../kernel/answer.ts';
import { type Fields, isList } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { type Business, type ObjectState, objectState, type StoredRecord } from './business.ts';
import type { Field } from './field.ts';
import { readFilter } from './filter.ts';
import { inOrder } from './order.ts';
import { answerPage, readPage } from './paging.ts';
import { displayName, renderRecord } from './render.ts';
import { readObject } from './write-body.ts';

const PAGE = 100;

/** `POST /records/{object}/search?page&page_size&ordering&search` */
export function searchRoute(business: Business, request: ApiRequest): Answer {
  const { switches } = business;
  const state = objectState(business, request.param('object'));
  const body = readObject(business, request.body);
  const passes = readFilter(business, state, body);
  const asked = readPage(switches, request, { initial: PAGE, most: switches.pageMax });
  const words = request.query.get('search')?.trim().toLowerCase() ?? '';
  const isSeen = ({ id }: StoredRecord): boolean => !state.hidden.has(id);
  const found = inOrder(business, state, request.query.get('ordering') ?? '').filter(
    (record) =>
      (switches.hiddenRecords === 'gap' || isSeen(record)) &&
      passes(record) &&
      matches(state, record, words),
  );
  const page = found.slice((asked.page - 1) * asked.size, asked.page * asked.size).filter(isSeen);
  const shown = { picks: pickFields(body), thin: switches.rows === 'thin' };
  const results = page.map((record) => renderRecord(business, state, record, shown));
  const count = state.hidden.size === 0 ? found.length : found.filter(isSeen).length;
  const told = answerPage(business, request, asked, { total: found.length, count, results });
  return { ...told, recordsRead: page.length };
}

function matches(state: ObjectState, record: StoredRecord, words: string): boolean {
  if (words === '') return true;
  const texts = [displayName(state, record), record.values.get(state.keyField.id)];
  return texts.some((text) => typeof text === 'string' && text.toLowerCase().includes(words));
}

/** By API name or by id, exactly those that there are; all where neither is given. */
export function pickFields({
  field_names: names,
  field_ids: ids,
}: Fields): (field: Field) => boolean {
  if (names === undefined && ids === undefined) return () => true;
  const byName = new Set(isList(names ?? null) ? [names].flat().map(String) : []);
  const byId = new Set(isList(ids ?? null) ? [ids].flat().map(String) : []);
  return ({ id, name }) => byName.has(name) || byId.has(id);
}
