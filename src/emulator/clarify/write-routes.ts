import type { Json } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { type Fields, fieldOf, isObject, withFields } from '../kernel/fields.ts';
import { shuffled } from '../kernel/random.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, type Problem, refuse } from './api-error.ts';
import { commitDelete } from './commit.ts';
import { appendItems, changeFields } from './field-change.ts';
import { renderWithLinks } from './linkage.ts';
import { isToMany } from './object-definition.ts';
import type { ObjectState } from './object-state.ts';
import { recordFields, type StoredRecord, serialiseFields } from './stored-record.ts';
import { validateAttributes } from './validate.ts';
import { internalError, objectState, storedRecord, type Workspace } from './workspace.ts';
import { checkBulkSize, readWriteBody, type WriteItem } from './write-body.ts';
import { planWrites, type WritePlan } from './write-plan.ts';

/** `POST /objects/{object}/records` and `…/records/bulk`: inserts, or upserts with `match_on`. */
export function createRecords(bulk: boolean) {
  return (workspace: Workspace, request: ApiRequest): Answer => {
    const state = objectState(workspace, request.param('object'));
    const classic = workspace.dialect === 'classic';
    const keys = classic ? ['meta'] : ['match_on', 'meta'];
    const rules = { object: state.definition.object, bulk, ids: 'refused' as const, keys };
    const body = readWriteBody(request.body, { ...rules, switches: workspace.switches });
    const matchFields = classic ? uniqueFields(state) : matchField(state, body.matchOn);
    const checked = checkItems(workspace, state, body.items);
    const plan = planWrites(workspace, state);
    const ids = checked.map((fields) => {
      const matched = findMatch(plan, matchFields, fields);
      if (matched === null) return plan.create(newFields(state, fields));
      plan.update(matched, (old) => mergeInto(workspace, old, fields));
      return matched;
    });
    const written = plan.commit(actorOf(workspace));
    return recordsAnswer(workspace, state, { status: 201, ids, written, bulk });
  };
}

/** `PATCH /objects/{object}/records/{id}` and, for many, `…/records` */
export function updateRecords(bulk: boolean) {
  return (workspace: Workspace, request: ApiRequest): Answer => {
    const state = objectState(workspace, request.param('object'));
    const { object } = state.definition;
    if (!bulk && object.startsWith('c_')) throw internalError();
    const body = readWriteBody(request.body, {
      object,
      bulk,
      ids: bulk ? 'required' : 'optional',
      keys: ['meta'],
      switches: workspace.switches,
    });
    const ids = body.items.map(({ id }) => (bulk ? (id ?? '') : request.param('id')));
    const [own] = body.items;
    if (!bulk && own?.id !== null && own?.id !== ids[0]) {
      throw invalid([{ pointer: '/data/id', message: 'must be the id in the path' }]);
    }
    for (const id of ids) refuseReadOnly(object, storedRecord(state, id));
    const checked = checkItems(workspace, state, body.items);
    const plan = planWrites(workspace, state);
    for (const [index, changes] of checked.entries()) {
      const sent = body.items[index]?.attributes ?? {};
      plan.update(ids[index] ?? '', (old) => changeFields(old, changes, body.meta, sent));
    }
    const written = plan.commit(actorOf(workspace));
    const shown = workspace.switches.omitUnsent ? onlySent(written, ids, body.items) : written;
    return recordsAnswer(workspace, state, { status: 200, ids, written: shown, bulk });
  };
}

/** The records without the fields that no item of the request named. */
function onlySent(
  written: ReadonlyMap<string, StoredRecord>,
  ids: readonly string[],
  items: readonly WriteItem[],
): Map<string, StoredRecord> {
  const named = new Map<string, string[]>();
  for (const [index, { attributes }] of items.entries()) {
    const id = ids[index] ?? '';
    named.set(id, [...(named.get(id) ?? []), ...Object.keys(attributes)]);
  }
  const shown = [...written].map(([id, record]): [string, StoredRecord] => {
    const names = named.get(id) ?? [];
    const kept = Object.entries(recordFields(record)).filter(([name]) => names.includes(name));
    return [id, { ...record, text: serialiseFields(Object.fromEntries(kept)) }];
  });
  return new Map(shown);
}

/** `DELETE /objects/{object}/records/{id}` */
export function deleteRecord(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  return deleteAll(workspace, state, [request.param('id')]);
}

/** `DELETE /objects/{object}/records`, `{"items": [ids]}` */
export function deleteRecords(workspace: Workspace, request: ApiRequest): Answer {
  const { bulkDelete } = workspace.switches;
  if (bulkDelete !== 'present') throw refuse(Number(bulkDelete), 'Cannot DELETE here');
  const state = objectState(workspace, request.param('object'));
  const items = isObject(request.body) ? request.body.items : undefined;
  if (!Array.isArray(items)) throw invalid([{ pointer: '/items', message: 'must be array' }]);
  if (items.length === 0) throw invalid([{ pointer: '/items', message: 'must not be empty' }]);
  checkBulkSize(items.length, workspace.switches);
  const list: readonly unknown[] = items;
  const ids = list.filter((id) => typeof id === 'string');
  if (ids.length < list.length) {
    throw invalid(
      list.flatMap((id, index) =>
        typeof id === 'string' ? [] : [{ pointer: `/items/${index}`, message: 'must be string' }],
      ),
    );
  }
  return deleteAll(workspace, state, ids);
}

function deleteAll(workspace: Workspace, state: ObjectState, ids: readonly string[]): Answer {
  const records = [...new Set(ids)].map((id) => storedRecord(state, id));
  for (const record of records) refuseReadOnly(state.definition.object, record);
  const author = { actor: actorOf(workspace) };
  for (const record of records) commitDelete(workspace, state, record, author, false);
  return { ...doneAnswer(workspace), recordsWritten: records.length };
}

/** What a write without a record to show answers. */
export function doneAnswer({ dialect }: Workspace): Answer {
  return dialect === 'current' ? { status: 200, text: '{}' } : { status: 204, text: '' };
}

/** Writes through the API are the key owner's. */
export function actorOf({ users }: Workspace): string {
  return users[0]?.id ?? 'system';
}

/** @throws ApiError 422 with every problem of every item, 400 */
function checkItems(
  workspace: Workspace,
  state: ObjectState,
  items: readonly WriteItem[],
): Map<string, Json>[] {
  const problems: Problem[] = [];
  const deps = {
    definition: state.definition,
    normalises: workspace.switches.normalises,
    linkable: (object: string, id: string) =>
      workspace.switches.danglingLinks === 'accept' ||
      workspace.objects.get(object)?.records.has(id) === true,
  };
  const checked = items.map(({ attributes, pointer }) =>
    validateAttributes(deps, attributes, pointer, problems),
  );
  if (problems.length > 0) throw invalid(problems);
  return checked;
}

function uniqueFields({ definition }: ObjectState): string[] {
  return definition.fields.filter((field) => field.unique === true).map((field) => field.name);
}

/** @throws ApiError 400 where the field is not unique */
function matchField(state: ObjectState, matchOn: string | null): string[] {
  if (matchOn === null || uniqueFields(state).includes(matchOn)) {
    return matchOn === null ? [] : [matchOn];
  }
  throw refuse(400, `match_on must name a unique field of ${state.definition.object}`);
}

/** @throws ApiError 400 where several records match */
function findMatch(
  plan: WritePlan,
  fields: readonly string[],
  values: ReadonlyMap<string, Json>,
): string | null {
  const found = fields.flatMap((field) => [...plan.owners(field, values.get(field) ?? null)]);
  const [first, ...others] = new Set(found);
  if (others.length > 0) throw refuse(400, 'Several records match');
  return first ?? null;
}

function mergeInto(
  { switches }: Workspace,
  old: Fields,
  changes: ReadonlyMap<string, Json>,
): Fields {
  const merged = [...changes].map(([name, value]): [string, Json] => {
    const append = isObject(value) && 'items' in value && switches.matchedCollections === 'append';
    return [name, append ? appendItems(fieldOf(old, name), value) : value];
  });
  return withFields(old, merged);
}

/** Every attribute of the object is there from the start, null where nothing was given. */
export function newFields({ definition }: ObjectState, given: ReadonlyMap<string, Json>): Fields {
  const attributes = definition.fields.filter((field) => !isToMany(field));
  const nulls = attributes.map(({ name }): [string, Json] => [name, null]);
  return withFields(Object.fromEntries(nulls), given);
}

/** Meetings that come from a calendar are the calendar's; those made by hand say so in their id. */
function refuseReadOnly(object: string, record: StoredRecord): void {
  if (object !== 'meeting') return;
  const eventId = fieldOf(recordFields(record), 'event_id');
  if (eventId === null || (typeof eventId === 'string' && eventId.startsWith('adhoc-'))) return;
  throw refuse(400, 'Calendar-synced meetings are read-only');
}

interface Written {
  readonly status: number;
  /** One for each item of the request, in its order. */
  readonly ids: readonly string[];
  readonly written: ReadonlyMap<string, StoredRecord>;
  readonly bulk: boolean;
}

function recordsAnswer(
  workspace: Workspace,
  state: ObjectState,
  { status, ids, written, bulk }: Written,
): Answer {
  const { object } = state.definition;
  const rendered = ids.flatMap((id) => {
    const record = written.get(id);
    return record === undefined ? [] : [renderWithLinks(workspace, object, record, [])];
  });
  const count = { recordsWritten: written.size };
  if (!bulk) return { status, text: `{"data":${rendered[0] ?? 'null'}}`, ...count };
  const { bulkAnswerOrder } = workspace.switches;
  const ordered = bulkAnswerOrder === 'shuffled' ? shuffled(workspace.random, rendered) : rendered;
  const links = workspace.dialect === 'current' ? '{"next":null,"prev":null}' : '{}';
  const meta = `{"total_records":${ordered.length},"offset":0,"limit":${ordered.length}}`;
  return {
    status,
    text: `{"data":[${ordered.join(',')}],"links":${links},"meta":${meta}}`,
    ...count,
  };
}
