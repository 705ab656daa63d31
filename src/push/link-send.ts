import { readLinkList } from '../conflicts/link-pages.ts';
import { mergeLinkSet } from '../domain/coalesce-links.ts';
import { RemoteError } from '../domain/errors.ts';
import type { CallOptions, LinkWrite, Remote } from '../domain/remote.ts';
import type { ObjectSchema } from '../domain/schema.ts';
import type { OutgoingLinks, SentLink } from './link-claim.ts';

/** A field of to-many links, as the CRM knows it. */
export interface LinkField {
  readonly object: ObjectSchema;
  readonly field: string;
  readonly target: string;
  /** Null where the other object is not mirrored: nothing can be said of its records. */
  readonly targetSchema: ObjectSchema | null;
}

/** What came of one change of a link. */
export type LinkSent =
  | { readonly kind: 'delivered'; readonly change: SentLink }
  /** One of the two records is not there. */
  | { readonly kind: 'gone'; readonly change: SentLink; readonly end: 'here' | 'there' }
  /** The CRM refuses it, and will again. */
  | { readonly kind: 'refused'; readonly change: SentLink; readonly error: RemoteError }
  /** Not done, or may be done again without harm. */
  | { readonly kind: 'failed'; readonly change: SentLink; readonly error: RemoteError };

export interface RecordSent {
  readonly results: readonly LinkSent[];
  /** All the links of the record as last read; null where they were not. */
  readonly set: ReadonlySet<string> | null;
}

/** Attempts at most that answer 404 although both records are there. */
const MOST_UNFOUND = 3;

/** Writes at most, while somebody else changes the same set. */
const MOST_WRITES = 4;

/**
 * Makes the changes of one record's links. Where no call adds a link to a many-to-many field, one
 * replaces the whole set: the set is read, changed and written, and read again to
 * see whether it holds; whoever wrote in between may have undone it, and then it is done again.
 * Unlinking alone needs no reading where the answer says that it was done. Whatever became of it may be repeated.
 *
 * @throws RemoteError with disposition `halt`
 */
export async function sendLinks(
  remote: Remote,
  field: LinkField,
  outgoing: OutgoingLinks,
  options: CallOptions,
): Promise<RecordSent> {
  const { recordId, changes } = outgoing;
  const all = (kind: 'refused' | 'failed', error: RemoteError): RecordSent => {
    return { results: changes.map((change) => ({ kind, change, error })), set: null };
  };
  try {
    const set = await bringAbout(remote, field, { recordId, changes }, options);
    return { results: changes.map((change) => ({ kind: 'delivered', change })), set };
  } catch (error) {
    if (!(error instanceof RemoteError) || error.disposition === 'halt') throw error;
    if (error.status === 404) return await withoutGone(remote, field, { outgoing, error }, options);
    if (error.ambiguous || error.disposition === 'retry') return all('failed', error);
    if (changes.length === 1) return all('refused', error);
  }
  return await oneByOne(remote, field, outgoing, options);
}

/** @returns the set as it is now; null where it was not read. */
async function bringAbout(
  remote: Remote,
  field: LinkField,
  wanted: Pick<OutgoingLinks, 'recordId' | 'changes'>,
  options: CallOptions,
): Promise<ReadonlySet<string> | null> {
  const { recordId: id, changes } = wanted;
  const { object, target } = field;
  const of = (kind: SentLink['kind']): LinkWrite => {
    const ids = changes.filter((change) => change.kind === kind).map(({ other }) => other);
    return { object, id, field: field.field, target, ids };
  };
  const [added, taken] = [of('link'), of('unlink')];
  if (added.ids.length === 0) return await takeOut(remote, taken, options);
  if (remote.addLinks !== undefined) {
    if (taken.ids.length > 0) await takeOut(remote, taken, options);
    const set = await remote.addLinks(added, options);
    if (set === null) return null;
    if (added.ids.every((one) => set.includes(one))) return new Set(set);
    throw unconfirmed(remote.title, object.object);
  }
  for (let writes = 0; ; writes += 1) {
    const list = await readLinkList(remote, { object, id, field: field.field }, options);
    if (list.kind === 'gone') throw listGone(object.object);
    if (list.kind !== 'whole' || writes > MOST_WRITES) throw contested(object.object);
    const set = mergeLinkSet(list.ids, changes);
    if (isSame(set, list.ids)) return list.ids;
    await remote.setLinks({ object, id, field: field.field, target, ids: [...set] }, options);
  }
}

async function takeOut(
  remote: Remote,
  request: LinkWrite,
  options: CallOptions,
): Promise<ReadonlySet<string> | null> {
  if (await remote.removeLinks(request, options)) return null;
  const { object, id, field, ids } = request;
  const list = await readLinkList(remote, { object, id, field }, options);
  if (list.kind === 'whole' && !ids.some((one) => list.ids.has(one))) return list.ids;
  throw list.kind === 'gone' ? listGone(object.object) : unconfirmed(remote.title, object.object);
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}

function goneHere(changes: readonly SentLink[]): RecordSent {
  return { results: changes.map((change) => ({ kind: 'gone', change, end: 'here' })), set: null };
}

/** A 404 does not say who is missing: each is asked for by its id, and the others go on. */
async function withoutGone(
  remote: Remote,
  field: LinkField,
  { outgoing, error }: { readonly outgoing: OutgoingLinks; readonly error: RemoteError },
  options: CallOptions,
): Promise<RecordSent> {
  const { changes, recordId } = outgoing;
  const isThere = async (object: ObjectSchema, id: string) =>
    (await remote.readRecord({ object, id, certain: true }, options)) !== null;
  if (!(await isThere(field.object, recordId))) return goneHere(changes);
  const results: LinkSent[] = [];
  const there: SentLink[] = [];
  for (const change of changes) {
    const { targetSchema } = field;
    const isGone = targetSchema !== null && !(await isThere(targetSchema, change.other));
    if (isGone) results.push({ kind: 'gone', change, end: 'there' });
    else there.push(change);
  }
  if (results.length === 0) {
    // Both ends are there: it passes, or it is the field that the CRM does not know.
    const kind = outgoing.attempts < MOST_UNFOUND ? 'failed' : 'refused';
    return { results: changes.map((change) => ({ kind, change, error })), set: null };
  }
  if (there.length === 0) return { results, set: null };
  const rest = await sendLinks(remote, field, { ...outgoing, changes: there }, options);
  return { results: [...results, ...rest.results], set: rest.set };
}

/** One bad link harms only itself (invariant 10). */
async function oneByOne(
  remote: Remote,
  field: LinkField,
  outgoing: OutgoingLinks,
  options: CallOptions,
): Promise<RecordSent> {
  const results: LinkSent[] = [];
  let set: ReadonlySet<string> | null = null;
  for (const change of outgoing.changes) {
    const one = await sendLinks(remote, field, { ...outgoing, changes: [change] }, options);
    results.push(...one.results);
    set = one.set ?? set;
  }
  return { results, set };
}

function unconfirmed(title: string, object: string): RemoteError {
  return new RemoteError(`${title} took the links of a ${object}, and does not show them`, {
    code: 'push-unconfirmed',
    disposition: 'retry',
    status: null,
  });
}

function listGone(object: string): RemoteError {
  return new RemoteError(`a ${object} that has no list of links`, {
    code: 'remote-not-found',
    disposition: 'park',
    status: 404,
  });
}

function contested(object: string): RemoteError {
  return new RemoteError(`the links of a ${object} keep changing while they are written`, {
    code: 'links-contested',
    disposition: 'retry',
    status: null,
  });
}
