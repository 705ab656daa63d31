import * as z from 'zod';
import type { Answer } from '../kernel/answer.ts';
import type { Fields } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, missing, notFound } from './api-error.ts';
import { contactFilter } from './contact-filter.ts';
import { renderContact } from './contact-render.ts';
import { answer, NOTHING } from './contact-routes.ts';
import { findContact, updateContact, withChange } from './contacts.ts';
import { inZone } from './instants.ts';
import { idsSchema, pageLimit, pageOf, readBody, sortDirection, wholeNumber } from './query.ts';
import type { Contact, ContactList, Workspace } from './workspace.ts';

/** `GET /contacts/lists`, and those of a folder. */
export function listLists(workspace: Workspace, { query, param }: ApiRequest): Answer {
  const { switches } = workspace;
  const offset = wholeNumber(query, 'offset', { initial: 0 });
  const limit = pageLimit(query, { initial: 10, max: 50 }, switches);
  const folder = param('folder');
  const all = [...workspace.lists.values()].filter(
    (each) => folder === '' || each.folderId === Number(folder),
  );
  const sorted = sortDirection(query) === 'asc' ? all : all.toReversed();
  const page = sorted.slice(offset, offset + limit);
  // Those of a folder do not name it again.
  const lists = page.map((each) => renderList(workspace, each, folder === ''));
  return answer({ lists, count: all.length });
}

/** `GET /contacts/lists/{id}` */
export function readList(workspace: Workspace, request: ApiRequest): Answer {
  const list = namedList(workspace, request);
  const createdAt = inZone(list.createdMs, workspace.switches);
  return answer({ ...renderList(workspace, list), createdAt, dynamicList: false });
}

const listSchema = z.object({ name: z.string().min(1), folderId: z.number().int() });

/** `POST /contacts/lists` */
export function createList(workspace: Workspace, { body }: ApiRequest): Answer {
  const { name, folderId } = readBody(listSchema, body);
  return answer({ id: makeList(workspace, name, folderId) }, { status: 201, recordsWritten: 1 });
}

/** @returns its id */
export function makeList(
  { lists, nextNumber, now }: Workspace,
  name: string,
  folderId = 1,
): number {
  const id = nextNumber('lists');
  lists.set(id, { id, name, folderId, createdMs: now() });
  return id;
}

/** `PUT /contacts/lists/{id}` */
export function changeList(workspace: Workspace, request: ApiRequest): Answer {
  const list = namedList(workspace, request);
  const { name, folderId } = readBody(listSchema.partial(), request.body);
  list.name = name ?? list.name;
  list.folderId = folderId ?? list.folderId;
  return NOTHING;
}

/** `DELETE /contacts/lists/{id}`: its contacts remain, and are on one list less. */
export function deleteList(workspace: Workspace, request: ApiRequest): Answer {
  const { id } = namedList(workspace, request);
  for (const contact of membersOf(workspace, id)) setMembership(workspace, contact, id, false);
  workspace.lists.delete(id);
  return NOTHING;
}

/** `GET /contacts/lists/{id}/contacts` */
export function listMembers(workspace: Workspace, request: ApiRequest): Answer {
  const { id } = namedList(workspace, request);
  const { query } = request;
  const { contacts, switches } = workspace;
  const since = contactFilter(workspace, new URLSearchParams(sinceOnly(query)));
  const passes = (each: Contact): boolean =>
    each.listIds.includes(id) && (since === null || since(each));
  const { page, count } = pageOf(contacts.listed(), passes, {
    offset: wholeNumber(query, 'offset', { initial: 0 }),
    limit: pageLimit(query, { initial: 50, max: 500 }, switches),
    direction: sortDirection(query),
  });
  return answer(
    { contacts: page.map((each) => renderContact(workspace, each)), count },
    { recordsRead: page.length },
  );
}

function sinceOnly(query: URLSearchParams): [string, string][] {
  const given = query.get('modifiedSince');
  return given === null ? [] : [['modifiedSince', given]];
}

const membersSchema = z.object({
  ids: idsSchema.optional(),
  emails: z.array(z.string()).optional(),
  extIds: z.array(z.string()).optional(),
});

/** `POST /contacts/lists/{id}/contacts/add` and `…/remove` */
export function changeMembers(isMember: boolean) {
  return (workspace: Workspace, request: ApiRequest): Answer => {
    const { id } = namedList(workspace, request);
    const { ids, emails, extIds } = readBody(membersSchema, request.body);
    const given = [ids, emails, extIds].filter((each) => each !== undefined);
    if (given.length === 0) throw missing('ids, emails or extIds');
    if (given.length > 1) throw invalid('Only one of ids, emails and extIds can be passed');
    const kind = ids !== undefined ? 'id' : emails !== undefined ? 'email' : 'ext_id';
    const named = given.flat();
    const success: (string | number)[] = [];
    let changes = 0;
    for (const name of named) {
      const contact = findContact(workspace, kind, String(name));
      if (contact === undefined) continue;
      success.push(name);
      if (contact.listIds.includes(id) === isMember) continue;
      changes += 1;
      setMembership(workspace, contact, id, isMember);
    }
    if (changes === 0 && workspace.switches.listRepeats === 'refuse') {
      throw invalid('Contact already in list and/or does not exist');
    }
    const failure = named.filter((each) => !success.includes(each));
    return answer(
      { contacts: { success, failure, total: success.length } },
      { status: 201, recordsWritten: changes },
    );
  };
}

/** To be put on a list or taken off it moves the time of change. */
function setMembership(workspace: Workspace, contact: Contact, id: number, isMember: boolean) {
  const change = { attributes: new Map(), [isMember ? 'listIds' : 'unlinkListIds']: [id] };
  updateContact(workspace, contact, withChange(workspace, contact, change), workspace.now());
}

function membersOf({ contacts }: Workspace, listId: number): Contact[] {
  return [...contacts.items.values()].filter(({ listIds }) => listIds.includes(listId));
}

function renderList(
  workspace: Workspace,
  { id, name, folderId }: ContactList,
  namesFolder = true,
): Fields {
  const members = membersOf(workspace, id);
  const totalBlacklisted = members.filter((each) => each.emailBlacklisted).length;
  return {
    id,
    name,
    ...(namesFolder ? { folderId } : {}),
    totalBlacklisted,
    totalSubscribers: members.length - totalBlacklisted,
    uniqueSubscribers: members.length,
  };
}

/** @throws ApiError 400, 404 */
function namedList({ lists }: Workspace, { param }: ApiRequest): ContactList {
  if (!/^\d+$/.test(param('id'))) throw invalid('Invalid list id');
  const list = lists.get(Number(param('id')));
  if (list === undefined) throw notFound('List ID does not exist');
  return list;
}
