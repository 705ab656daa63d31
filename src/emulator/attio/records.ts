import type { Fields } from '../kernel/fields.ts';
import type { Random } from '../kernel/random.ts';
import { refuse } from './api-error.ts';
import { type Attribute, type StoredValue, SYSTEM } from './attribute.ts';
import { type Author, type Changes, commitValues, eventId, place } from './commit.ts';
import { type Instant, instantAt, instantMs } from './instants.ts';
import {
  findAttribute,
  type ObjectState,
  type StoredRecord,
  storedRecord,
  type Workspace,
} from './workspace.ts';

export interface NewRecord {
  readonly changes: Changes;
  readonly author: Author;
  /** The attribute; the record's own time is the author's. */
  readonly createdAt?: Instant;
}

/** @returns its id */
export function createRecord(workspace: Workspace, state: ObjectState, given: NewRecord): string {
  const id = workspace.newId();
  insert(workspace, state, id, given);
  const { changes, author } = given;
  workspace.webhooks.emit({
    event_type: 'record.created',
    id: eventId(workspace, state, id),
    actor: author.actor,
  });
  commitValues(workspace, state, id, changes, author);
  return id;
}

/** A record of nothing but what every record has. */
function insert(
  workspace: Workspace,
  state: ObjectState,
  id: string,
  { author, createdAt = author.at }: NewRecord,
): void {
  const { actor, at } = author;
  const system: Readonly<Record<string, Fields>> = {
    record_id: { value: id },
    created_at: { value: createdAt },
    created_by: { referenced_actor_type: actor.type, referenced_actor_id: actor.id },
  };
  const values = new Map<string, readonly StoredValue[]>();
  for (const [slug, data] of Object.entries(system)) {
    const attribute = findAttribute(state, slug);
    if (attribute !== null)
      values.set(attribute.id, [{ data, from: at, until: null, actor: SYSTEM }]);
  }
  place(workspace, state, id, { id, order: state.nextOrder, createdAt: at, values });
  state.nextOrder += 1;
}

/** For good. */
export function deleteRecord(
  workspace: Workspace,
  state: ObjectState,
  id: string,
  author: Author,
): void {
  storedRecord(state, id);
  if (workspace.switches.deletedTargets === 'gone') redirect(workspace, state, id, null, author);
  place(workspace, state, id, null);
  state.past.delete(id);
  workspace.webhooks.emit({
    event_type: 'record.deleted',
    id: eventId(workspace, state, id),
    actor: author.actor,
  });
}

/**
 * Both become one: what the primary holds wins, what it lacks comes from the other, lists of both are
 * joined, and what pointed at either points at it.
 *
 * @param newId of the record that it becomes
 * @returns its id, that of neither unless the switch `merged` says so
 * @throws ApiError 400 `self_merge`, 404
 */
export function mergeRecords(
  workspace: Workspace,
  state: ObjectState,
  [primaryId, secondaryId]: readonly [string, string],
  author: Author,
  newId = workspace.newId(),
): string {
  if (primaryId === secondaryId) {
    throw refuse(400, 'self_merge', 'Cannot merge a record with itself.');
  }
  const [primary, secondary] = [storedRecord(state, primaryId), storedRecord(state, secondaryId)];
  const changes = joined(state, primary, secondary);
  const survives = workspace.switches.merged === 'primary';
  const id = survives ? primaryId : newId;
  const gone = survives ? [secondaryId] : [primaryId, secondaryId];
  const quietly = { ...author, quiet: true };
  for (const each of gone) commitValues(workspace, state, each, emptied(state, changes), quietly);
  if (!survives) {
    const createdAt =
      workspace.switches.mergedCreatedAt === 'new' ? author.at : born(state, primary);
    insert(workspace, state, id, { changes, author, createdAt });
  }
  for (const each of gone) {
    redirect(workspace, state, each, id, author);
    place(workspace, state, each, null);
    workspace.webhooks.emit({
      event_type: 'record.merged',
      id: eventId(workspace, state, id),
      duplicate_object_id: state.id,
      duplicate_record_id: each,
      actor: author.actor,
    });
  }
  commitValues(workspace, state, id, changes, author);
  return id;
}

function joined(state: ObjectState, primary: StoredRecord, secondary: StoredRecord): Changes {
  const changes = new Map<Attribute, readonly Fields[]>();
  for (const attribute of state.attributes) {
    if (SYSTEM_SLUGS.includes(attribute.slug)) continue;
    const mine = dataOf(primary, attribute);
    const others = dataOf(secondary, attribute);
    const values = attribute.multi ? [...mine, ...others] : mine.length > 0 ? mine : others;
    if (values.length > 0) changes.set(attribute, values);
  }
  return changes;
}

export const SYSTEM_SLUGS: readonly string[] = ['record_id', 'created_at', 'created_by'];

function emptied(state: ObjectState, changes: Changes): Changes {
  return new Map(
    state.attributes.filter((each) => changes.has(each)).map((each) => [each, []] as const),
  );
}

export function dataOf({ values }: StoredRecord, { id }: Attribute): Fields[] {
  return (values.get(id) ?? []).map(({ data }) => data);
}

const SHORTEST_DRAFT_SECONDS = 11;

/**
 * The attribute `created_at` of a record made in the app: one in three was begun 11 to 118 seconds
 * before it was saved. So a record can turn up behind a place in their order that was passed already.
 */
export function draftedAt({ switches }: Workspace, random: Random, savedAt: Instant): Instant {
  const longest = switches.draftSeconds;
  if (longest < SHORTEST_DRAFT_SECONDS || random.next() >= 1 / 3) return savedAt;
  const seconds = SHORTEST_DRAFT_SECONDS + random.int(longest - SHORTEST_DRAFT_SECONDS + 1);
  return instantAt(instantMs(savedAt) - seconds * 1_000);
}

/** The attribute `created_at`. */
export function born(state: ObjectState, record: StoredRecord): Instant {
  const attribute = findAttribute(state, 'created_at');
  const [data] = attribute === null ? [] : dataOf(record, attribute);
  return typeof data?.['value'] === 'string' ? data['value'] : record.createdAt;
}

/** Points every reference to a record elsewhere, or nowhere. */
function redirect(
  workspace: Workspace,
  target: ObjectState,
  from: string,
  to: string | null,
  author: Author,
): void {
  for (const state of workspace.objects) {
    const pointing = state.attributes.filter(
      ({ type, allowed }) =>
        type === 'record-reference' && (allowed === null || allowed.includes(target.id)),
    );
    if (pointing.length === 0) continue;
    for (const record of state.records.values()) {
      for (const attribute of pointing) {
        const held = dataOf(record, attribute);
        if (!held.some((data) => data['target_record_id'] === from)) continue;
        const wanted = held.flatMap((data) => {
          if (data['target_record_id'] !== from) return [data];
          return to === null ? [] : [{ ...data, target_record_id: to }];
        });
        commitValues(workspace, state, record.id, new Map([[attribute, wanted]]), author);
      }
    }
  }
}
