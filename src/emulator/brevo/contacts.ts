import type { Json } from '../../domain/json.ts';
import type { Fields } from '../kernel/fields.ts';
import { invalid, notFound, refuse } from './api-error.ts';
import { changed } from './query.ts';
import type { Contact, IdentifierKind, Workspace } from './workspace.ts';

/** What a write does to a contact; what is missing stays. */
export interface ContactChange {
  readonly email?: string | null;
  /** By name, `EXT_ID` and `SMS` among them; null takes one away. */
  readonly attributes: ReadonlyMap<string, Json>;
  readonly emailBlacklisted?: boolean | undefined;
  readonly smsBlacklisted?: boolean | undefined;
  readonly listIds?: readonly number[] | undefined;
  readonly unlinkListIds?: readonly number[] | undefined;
}

/** The attributes that identify a contact, beside its e-mail. */
const ATTRIBUTES = {
  ext_id: 'EXT_ID',
  SMS: 'SMS',
  WHATSAPP: 'WHATSAPP',
  LANDLINE_NUMBER: 'LANDLINE_NUMBER',
} as const satisfies Readonly<Record<Exclude<IdentifierKind, 'email'>, string>>;

const KINDS: readonly IdentifierKind[] = ['email', 'ext_id', 'SMS', 'WHATSAPP', 'LANDLINE_NUMBER'];

/** Those whose values are telephone numbers. */
export const PHONES: readonly string[] = ['SMS', 'WHATSAPP', 'LANDLINE_NUMBER'];

/** Digits alone, of a number with its country code: `91…`, `+91…` or `0091…`. @throws ApiError 400 */
export function phoneDigits(given: string): string {
  const digits = /^(?:\+|00)?([1-9]\d{5,14})$/.exec(given)?.[1];
  if (digits === undefined) throw invalid('Invalid phone number');
  return digits;
}

/** What a contact has of one kind, in the form in which it is unique. */
export function identifierOf(
  { email, attributes }: Pick<Contact, 'email' | 'attributes'>,
  kind: IdentifierKind,
): string | null {
  if (kind === 'email') return email?.toLowerCase() ?? null;
  const value = attributes[ATTRIBUTES[kind]];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

/** The contact that a value names; undefined for none. */
export function findContact(
  { identifiers, contacts }: Workspace,
  kind: IdentifierKind | 'id',
  value: string,
): Contact | undefined {
  if (kind === 'id') return contacts.items.get(Number(value));
  const key = kind === 'email' ? value.toLowerCase() : value;
  return contacts.items.get(identifiers[kind].get(key) ?? -1);
}

/** Others that have an identifier which this one is to have. */
export function clashes(
  workspace: Workspace,
  wanted: Pick<Contact, 'email' | 'attributes'>,
  selfId: number | null,
): ReadonlyMap<IdentifierKind, Contact> {
  const found = new Map<IdentifierKind, Contact>();
  for (const kind of KINDS) {
    const value = identifierOf(wanted, kind);
    const owner = value === null ? undefined : findContact(workspace, kind, value);
    if (owner !== undefined && owner.id !== selfId) found.set(kind, owner);
  }
  return found;
}

/** The refusal of identifiers that others have. */
export function taken(kinds: Iterable<IdentifierKind>, what: string) {
  const names = [...kinds];
  const message = `Unable to ${what} contact, ${names.join(', ')} already associated with another Contact`;
  return refuse(400, 'duplicate_parameter', message, { duplicate_identifiers: names });
}

/** Nobody yet. */
export const NOBODY = {
  email: null,
  attributes: {} satisfies Fields,
  emailBlacklisted: false,
  smsBlacklisted: false,
  listIds: [],
} as const satisfies Partial<Contact>;

type Body = Omit<Contact, 'id' | 'order' | 'createdMs' | 'updatedMs'>;

/** What a contact holds after a change. @throws ApiError 400 for a list that is not there */
export function withChange({ lists }: Workspace, before: Body, change: ContactChange): Body {
  for (const id of [...(change.listIds ?? []), ...(change.unlinkListIds ?? [])]) {
    if (!lists.has(id)) throw invalid('List ID does not exist');
  }
  const email = change.email === undefined ? before.email : change.email;
  const moved = email?.toLowerCase() !== before.email?.toLowerCase();
  const left = new Set(change.unlinkListIds);
  const listIds = new Set([...before.listIds, ...(change.listIds ?? [])]);
  return {
    email,
    attributes: changed(before.attributes, change.attributes),
    // Whoever gets another address may be written to again.
    emailBlacklisted: change.emailBlacklisted ?? (moved ? false : before.emailBlacklisted),
    smsBlacklisted: change.smsBlacklisted ?? before.smsBlacklisted,
    listIds: [...listIds].filter((id) => !left.has(id)),
  };
}

/** Puts a new version in place. Identifiers must be free. */
export function place(workspace: Workspace, contact: Contact): void {
  const { contacts, identifiers } = workspace;
  const before = contacts.items.get(contact.id);
  for (const kind of KINDS) {
    const [old, value] = [before && identifierOf(before, kind), identifierOf(contact, kind)];
    if (old !== undefined && old !== null && old !== value) identifiers[kind].delete(old);
    if (value !== null) identifiers[kind].set(value, contact.id);
  }
  contacts.put(contact.id, contact);
}

/** @returns its id */
export function insertContact(workspace: Workspace, body: Body, createdMs: number): number {
  const id = workspace.nextNumber('contacts');
  const order = workspace.nextOrder();
  place(workspace, { ...body, id, order, createdMs, updatedMs: createdMs });
  return id;
}

/** Time moves on any update, also one that changes nothing. */
export function updateContact(workspace: Workspace, contact: Contact, body: Body, atMs: number) {
  place(workspace, { ...contact, ...body, updatedMs: Math.max(contact.updatedMs, atMs) });
}

/** For good, with whatever it was linked to. @throws ApiError 404 */
export function deleteContact(workspace: Workspace, id: number): void {
  const { contacts, identifiers, links } = workspace;
  const contact = contacts.items.get(id);
  if (contact === undefined) throw notFound('Contact does not exist');
  for (const kind of KINDS) {
    const value = identifierOf(contact, kind);
    if (value !== null) identifiers[kind].delete(value);
  }
  contacts.remove(id);
  links.drop({ type: 'contact', id: String(id) });
}

/** Of several, the one modified last remains and takes up what the others have; they are deleted. */
export function mergeContacts(workspace: Workspace, all: readonly Contact[]): Contact | undefined {
  const [survivor, ...others] = all.toSorted((a, b) => b.updatedMs - a.updatedMs);
  if (survivor === undefined) return undefined;
  for (const { id } of others) deleteContact(workspace, id);
  const attributes = Object.fromEntries(
    [...others, survivor].flatMap((each) => Object.entries(each.attributes)),
  );
  const email = survivor.email ?? others.find((each) => each.email !== null)?.email ?? null;
  const listIds = [...new Set([survivor, ...others].flatMap((each) => each.listIds))];
  const merged = { ...survivor, email, attributes, listIds };
  place(workspace, merged);
  return merged;
}
