import type { Json } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import type { Fields } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, missing, notFound } from './api-error.ts';
import { shownAttributes } from './contact-render.ts';
import { answer } from './contact-routes.ts';
import { findContact, phoneDigits } from './contacts.ts';
import { itemAttributes } from './crm-items.ts';
import { inUtc } from './instants.ts';
import { type End, type Link, ofType } from './links.ts';
import { unknownObject } from './object-routes.ts';
import { wholeNumber } from './query.ts';
import { findRecord, numberOf, shownRecordAttributes } from './records.ts';
import type { CrmState, Workspace } from './workspace.ts';

const PAGE = 20;
const MAX_TYPES = 5;

/** `GET /objects/{object}/associated-records`: all of them, newest association first. */
export function listAssociated(workspace: Workspace, request: ApiRequest): Answer {
  const { query } = request;
  const types = query.getAll('type');
  if (types.length > MAX_TYPES) throw invalid(`At most ${MAX_TYPES} types`);
  const offset = wholeNumber(query, 'offset', { initial: 0 });
  const source = sourceOf(workspace, request);
  const all = workspace.links
    .shown(source)
    .filter(({ type }) => types.length === 0 || types.includes(type))
    .toSorted((a, b) => b.sequence - a.sequence);
  const items = all
    .slice(offset, offset + PAGE)
    .map((link) => ({ type: link.type, object: renderEnd(workspace, link) }));
  return answer(
    { has_more: all.length > offset + PAGE, offset, items },
    { recordsRead: items.length },
  );
}

/** @throws ApiError 400 unless there is exactly one identifier, 404 */
function sourceOf(workspace: Workspace, { param, query }: ApiRequest): End {
  const type = param('object');
  const isContact = type === 'contact';
  const names = ['id', 'ext_id', ...(isContact ? ['email', 'sms'] : [])];
  const [name, another] = ['id', 'ext_id', 'email', 'sms'].filter((each) => query.has(each));
  if (name === undefined) throw missing('One of id, ext_id, email and sms');
  if (another !== undefined || !names.includes(name)) {
    throw invalid('Exactly one of id, ext_id, email and sms can be passed');
  }
  const value = query.get(name) ?? '';
  if (name === 'id' && !/^[1-9]\d*$/.test(value)) throw invalid('id is not valid');
  const id = sourceId(workspace, type, name, value);
  if (id === undefined) throw notFound();
  return { type, id: String(id) };
}

function sourceId(
  workspace: Workspace,
  type: string,
  name: string,
  value: string,
): number | string | undefined {
  const { crm, objects } = workspace;
  if (type === 'contact') {
    if (name === 'sms') return findContact(workspace, 'SMS', phoneDigits(value.trim()))?.id;
    const kind = name === 'email' || name === 'ext_id' ? name : 'id';
    return findContact(workspace, kind, value)?.id;
  }
  const state = type === 'company' ? crm.companies : type === 'deal' ? crm.deals : null;
  if (state !== null) {
    if (name === 'ext_id') return state.shelf.items.get(value)?.id;
    return [...state.shelf.items.values()].find(({ order }) => String(order) === value)?.id;
  }
  const object = objects.get(type);
  if (object === undefined) throw unknownObject(workspace);
  return findRecord(object, name === 'id' ? { id: Number(value) } : { ext_id: value })?.id;
}

function renderEnd(workspace: Workspace, end: Link): Fields {
  const { contacts, crm, objects } = workspace;
  const { type, id } = end;
  if (type === 'contact') {
    const contact = contacts.items.get(Number(id));
    if (contact === undefined) return { id: Number(id) };
    const { email } = contact;
    const attributes = {
      ...(email === null ? {} : { email }),
      ...shownAttributes(workspace, contact),
    };
    const lower = Object.entries(attributes).map(([name, value]): [string, Json] => [
      name.toLowerCase(),
      value,
    ]);
    return { id: contact.id, attributes: Object.fromEntries<Json>(lower) };
  }
  if (type === 'company') return renderCrm(workspace, crm.companies, end);
  if (type === 'deal') return renderCrm(workspace, crm.deals, end);
  const object = objects.get(type);
  const record = object?.shelf.items.get(Number(id));
  if (object === undefined || record === undefined) return { id: Number(id) };
  return {
    id: record.id,
    ...(record.extId === null ? {} : { ext_id: record.extId }),
    attributes: shownRecordAttributes(workspace, object, record),
    ...times(workspace, record),
  };
}

function renderCrm(workspace: Workspace, state: CrmState, end: End): Fields {
  const item = state.shelf.items.get(end.id);
  if (item === undefined) return { ext_id: end.id };
  const contacts = ofType(workspace.links.shown(end), 'contact').length;
  return {
    id: numberOf(workspace, end),
    ext_id: item.id,
    attributes: itemAttributes(workspace, state, item, contacts),
    ...times(workspace, item),
  };
}

function times(
  { switches }: Workspace,
  { createdMs, updatedMs }: { readonly createdMs: number; readonly updatedMs: number },
): Fields {
  return { created_at: inUtc(createdMs, switches), updated_at: inUtc(updatedMs, switches) };
}
