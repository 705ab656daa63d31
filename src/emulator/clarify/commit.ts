import type { Json } from '../../domain/json.ts';
import { type Fields, isObject, withFields } from '../kernel/fields.ts';
import { type Difference, differences, type Told } from './history.ts';
import { linkField, manyToManyFields } from './links.ts';
import { isToOne } from './object-definition.ts';
import { applyChange, type ObjectState } from './object-state.ts';
import { keepSample, recordFields, type StoredRecord, serialiseFields } from './stored-record.ts';
import { showAt, type Workspace } from './workspace.ts';

export interface Author {
  /** A user's id, or `system`, `agent`, `rep`. */
  readonly actor: string;
  /** Whether `_updated_at` moves; default true. */
  readonly bump?: boolean;
  /** The timestamp to give; default now. */
  readonly atMs?: number;
}

export interface UpdateAuthor extends Author {
  readonly mergedIds?: readonly string[];
  /** What the activity feed says of it; default an update. */
  readonly tell?: (diff: readonly Difference[]) => Told;
}

/** Stores a new record. */
export function commitCreate(
  workspace: Workspace,
  state: ObjectState,
  id: string,
  given: Fields,
  { actor, atMs = workspace.now() }: Author,
): StoredRecord {
  const fields = kept(workspace, given);
  const after: StoredRecord = {
    id,
    order: state.nextOrder,
    text: serialiseFields(fields),
    createdMs: atMs,
    updatedMs: atMs,
    edited: false,
    createdBy: actor,
    updatedBy: actor,
    mergedIds: [],
  };
  state.nextOrder += 1;
  applyChange(
    state,
    { before: null, after, fieldsBefore: null, fieldsAfter: fields },
    showAt(workspace, workspace.now()),
  );
  workspace.history.add(state.definition.object, id, { kind: 'create', actor, atMs, data: fields });
  return after;
}

/** Stores a new version of a record. */
export function commitUpdate(
  workspace: Workspace,
  state: ObjectState,
  before: StoredRecord,
  given: Fields,
  author: UpdateAuthor,
): StoredRecord {
  const { actor, bump = true, atMs = workspace.now(), tell = toldAsUpdate } = author;
  const fields = kept(workspace, given);
  const fieldsBefore = recordFields(before);
  const diff = differences(fieldsBefore, fields);
  const told = tell(diff);
  const moves = bump && (workspace.switches.noopBumps || diff.length > 0 || told.kind !== 'update');
  const after: StoredRecord = {
    ...before,
    ...keepSample(before),
    text: serialiseFields(fields),
    ...(moves ? { updatedMs: atMs, edited: true, updatedBy: actor } : {}),
    mergedIds: author.mergedIds ?? before.mergedIds,
  };
  applyChange(
    state,
    { before, after, fieldsBefore, fieldsAfter: fields },
    showAt(workspace, workspace.now()),
  );
  workspace.history.add(state.definition.object, before.id, { ...told, actor, atMs });
  return after;
}

function toldAsUpdate(diff: readonly Difference[]): Told {
  return { kind: 'update', diff };
}

/** As the switch has it, an empty collection is kept as null. */
function kept({ switches }: Workspace, fields: Fields): Fields {
  if (switches.emptyCollections === 'items') return fields;
  const isEmpty = (value: Json): boolean =>
    isObject(value) && Array.isArray(value.items) && value.items.length === 0;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isEmpty(value) ? null : value]),
  );
}

/** Moves `_updated_at` alone. */
export function touch(
  workspace: Workspace,
  state: ObjectState,
  before: StoredRecord,
  { actor, atMs = workspace.now() }: Author,
): void {
  const moved = { updatedMs: atMs, edited: true, updatedBy: actor };
  const after = { ...before, ...keepSample(before), ...moved };
  state.records.set(before.id, after);
  state.listing.replace(before, after, showAt(workspace, workspace.now()));
}

/** Takes a record away for good, and its many-to-many links. `merged`: see `mergedInDeletedFeed`. */
export function commitDelete(
  workspace: Workspace,
  state: ObjectState,
  before: StoredRecord,
  { actor, atMs = workspace.now() }: Author,
  merged: boolean,
): void {
  const { object } = state.definition;
  const showAtMs = showAt(workspace, workspace.now());
  const fieldsBefore = recordFields(before);
  applyChange(state, { before, after: null, fieldsBefore, fieldsAfter: null }, showAtMs);
  state.deletions.push({ record: before, deletedMs: atMs, showAtMs: showAtMs ?? atMs, merged });
  workspace.history.add(object, before.id, { kind: 'delete', actor, atMs, data: fieldsBefore });
  for (const field of manyToManyFields(state.definition)) {
    for (const other of workspace.links.ids(object, field, before.id)) {
      workspace.links.remove(object, field, before.id, other);
    }
  }
  if (workspace.switches.deletedTargets === 'keep') return;
  const bump = workspace.switches.linksBump !== 'none';
  redirectReferences(workspace, object, before.id, null, { actor, bump, atMs });
}

/** Points every to-one link at `id` elsewhere, or at nothing. */
export function redirectReferences(
  workspace: Workspace,
  object: string,
  id: string,
  target: string | null,
  author: Author,
): void {
  for (const state of workspace.objects.values()) {
    for (const field of state.definition.fields.filter(isToOne)) {
      if (linkField(state.definition, field.name)?.form.entity !== object) continue;
      for (const pointing of state.references.get(field.name)?.get(id) ?? []) {
        const record = state.records.get(pointing);
        if (record === undefined) continue;
        const fields = withFields(recordFields(record), [[field.name, target]]);
        const refs = target === null ? [] : [{ entity: object, id: target }];
        const tell = (): Told => ({ kind: 'set-relationship', relationship: field.name, refs });
        commitUpdate(workspace, state, record, fields, { ...author, tell });
      }
    }
  }
}
