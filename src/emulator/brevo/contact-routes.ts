import { stringifyJson } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, missing, notFound, refuse } from './api-error.ts';
import { changeOf, newEmail, readContactBody, readEmail } from './contact-body.ts';
import { contactFilter } from './contact-filter.ts';
import { renderContact, renderContactAttribute, renderContactDetails } from './contact-render.ts';
import {
  clashes,
  deleteContact,
  findContact,
  insertContact,
  mergeContacts,
  NOBODY,
  phoneDigits,
  taken,
  updateContact,
  withChange,
} from './contacts.ts';
import { pageLimit, pageOf, sortDirection, wholeNumber } from './query.ts';
import type { Contact, IdentifierKind, Workspace } from './workspace.ts';

export function answer(body: unknown, more: Partial<Answer> = {}): Answer {
  return { status: 200, text: stringifyJson(body), ...more };
}

export const NOTHING: Answer = { status: 204, text: '', recordsWritten: 1 };

/** `GET /contacts` */
export function listContacts(workspace: Workspace, { query }: ApiRequest): Answer {
  const { switches, contacts } = workspace;
  const max = switches.contactsPageMax;
  const { page, count } = pageOf(contacts.listed(), contactFilter(workspace, query), {
    offset: wholeNumber(query, 'offset', { initial: 0 }),
    limit: pageLimit(query, { initial: 50, max }, switches),
    direction: sortDirection(query),
  });
  return answer(
    { contacts: page.map((each) => renderContact(workspace, each)), count },
    { recordsRead: page.length },
  );
}

/** `GET /contacts/attributes` */
export function listContactAttributes({ contactAttributes }: Workspace): Answer {
  return answer({ attributes: contactAttributes.map(renderContactAttribute) });
}

/** `GET /contacts/{identifier}` */
export function readContact(workspace: Workspace, request: ApiRequest): Answer {
  const { id } = namedContact(workspace, request, true);
  const { lateGets } = workspace.switches;
  const shown = lateGets ? workspace.contacts.shown(id) : workspace.contacts.items.get(id);
  if (shown === undefined) throw notFound('Contact does not exist');
  return answer(renderContactDetails(workspace, shown), { recordsRead: 1 });
}

/** `POST /contacts` */
export function createContact(workspace: Workspace, { body: sent }: ApiRequest): Answer {
  refuseWithoutCredits(workspace);
  const body = readContactBody(sent);
  const change = {
    ...changeOf(workspace, body),
    ...(body.email === undefined ? {} : { email: readEmail(workspace, body.email) }),
  };
  const wanted = withChange(workspace, NOBODY, change);
  const { SMS, EXT_ID } = wanted.attributes;
  if (wanted.email === null && SMS === undefined && EXT_ID === undefined) {
    throw refuse(400, 'missing_parameter', 'Either email, ext_id or SMS is required');
  }
  const { earlyShare } = workspace.switches;
  if (workspace.random.next() < earlyShare) throw refuse(425, null, 'Too early, try again');
  const found = clashes(workspace, wanted, null);
  const [existing, ...others] = new Set(found.values());
  if (existing === undefined) {
    const id = insertContact(workspace, wanted, workspace.now());
    return answer({ id }, { status: 201, recordsWritten: 1 });
  }
  const { updateEnabled = false, forceMerge = false, getId = false } = body;
  if (!forceMerge && (!updateEnabled || others.length > 0)) throw taken(found.keys(), 'create');
  const target = mergeContacts(workspace, [existing, ...others]) ?? existing;
  updateContact(workspace, target, withChange(workspace, target, change), workspace.now());
  return getId ? answer({ id: target.id }, { recordsWritten: 1 }) : NOTHING;
}

/** `PUT /contacts/{identifier}` */
export function changeContact(workspace: Workspace, request: ApiRequest): Answer {
  refuseWithoutCredits(workspace);
  const contact = namedContact(workspace, request, false);
  const body = readContactBody(request.body);
  const email = newEmail(workspace, body);
  const isSame = typeof email === 'string' && email.toLowerCase() === contact.email?.toLowerCase();
  if (isSame && workspace.switches.sameEmail === 'refuse') {
    throw refuse(400, 'duplicate_parameter', 'Contact already exist');
  }
  const change = { ...changeOf(workspace, body), ...(email === undefined ? {} : { email }) };
  const wanted = withChange(workspace, contact, change);
  const found = clashes(workspace, wanted, contact.id);
  if (found.size > 0 && body.forceMerge !== true) throw taken(found.keys(), 'update');
  const target = mergeContacts(workspace, [contact, ...new Set(found.values())]) ?? contact;
  updateContact(workspace, target, withChange(workspace, target, change), workspace.now());
  return NOTHING;
}

/** `DELETE /contacts/{identifier}` */
export function removeContact(workspace: Workspace, request: ApiRequest): Answer {
  deleteContact(workspace, namedContact(workspace, request, false).id);
  return NOTHING;
}

const TYPES: ReadonlyMap<string, IdentifierKind | 'id'> = new Map([
  ['contact_id', 'id'],
  ['email_id', 'email'],
  ['ext_id', 'ext_id'],
  ['phone_id', 'SMS'],
  ['whatsapp_id', 'WHATSAPP'],
  ['landline_number_id', 'LANDLINE_NUMBER'],
]);

/** @throws ApiError 400 for a type that is none, or an id of the wrong form; 404 */
function namedContact(workspace: Workspace, request: ApiRequest, isRead: boolean): Contact {
  const identifier = request.param('identifier');
  const given = request.query.get('identifierType');
  const kind = given === null ? null : TYPES.get(given);
  if (kind === undefined) throw invalid('identifierType is not valid');
  const found =
    kind === null
      ? findUntyped(workspace, identifier, isRead)
      : findContact(workspace, kind, normal(kind, identifier));
  if (found === undefined) throw notFound('Contact does not exist');
  return found;
}

/** An e-mail or an id; to read one, an SMS number as well. */
function findUntyped(
  workspace: Workspace,
  identifier: string,
  isRead: boolean,
): Contact | undefined {
  if (identifier.includes('@')) return findContact(workspace, 'email', identifier);
  if (!/^\+?\d+$/.test(identifier)) throw invalid('Invalid identifier');
  const byId = findContact(workspace, 'id', identifier);
  return (
    byId ?? (isRead ? findContact(workspace, 'SMS', identifier.replace(/^\+/, '')) : undefined)
  );
}

function normal(kind: IdentifierKind | 'id', identifier: string): string {
  if (identifier === '') throw missing('identifier');
  if (kind === 'id' && !/^\d+$/.test(identifier)) throw invalid('Invalid contact id');
  if (kind === 'id' || kind === 'email' || kind === 'ext_id') return identifier;
  return phoneDigits(identifier);
}

/** @throws ApiError 402 */
export function refuseWithoutCredits({ account }: Workspace): void {
  if (!account.credits) throw refuse(402, 'not_enough_credits', 'Not enough credits');
}
