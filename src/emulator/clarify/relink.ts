import { withFields } from '../kernel/fields.ts';
import { type Author, commitUpdate, touch } from './commit.ts';
import type { Told } from './history.ts';
import type { LinkField } from './object-definition.ts';
import { recordFields } from './stored-record.ts';
import { linkedIds, objectState, storedRecord, type Workspace } from './workspace.ts';

/** A to-many field of one record. */
export interface LinkEnd {
  readonly object: string;
  readonly id: string;
  readonly field: LinkField;
}

function toldAsLink({ name, form }: LinkField, ids: readonly string[]): Told {
  const refs = ids.map((id) => ({ entity: form.entity, id }));
  return { kind: 'set-relationship', relationship: name, refs };
}

export function setToOne(
  workspace: Workspace,
  object: string,
  id: string,
  field: LinkField,
  target: string | null,
  author: Author,
): void {
  const state = objectState(workspace, object);
  const record = storedRecord(state, id);
  const fields = withFields(recordFields(record), [[field.name, target]]);
  const bump = author.bump ?? workspace.switches.linksBump !== 'none';
  const tell = (): Told => toldAsLink(field, target === null ? [] : [target]);
  commitUpdate(workspace, state, record, fields, { ...author, bump, tell });
}

export function linkRecords(
  workspace: Workspace,
  end: LinkEnd,
  ids: readonly string[],
  author: Author,
): void {
  const known = linkedIds(workspace, end.object, end.field, end.id);
  const added = ids.filter((id) => !known.has(id));
  for (const id of added) changeLink(workspace, end, id, { author, add: true });
  tellEnds(workspace, end, added, author);
}

export function unlinkRecords(
  workspace: Workspace,
  end: LinkEnd,
  ids: readonly string[],
  author: Author,
): void {
  const known = linkedIds(workspace, end.object, end.field, end.id);
  const removed = ids.filter((id) => known.has(id));
  for (const id of removed) changeLink(workspace, end, id, { author, add: false });
  tellEnds(workspace, end, removed, author);
}

function changeLink(
  workspace: Workspace,
  { object, id, field }: LinkEnd,
  other: string,
  { author, add }: { readonly author: Author; readonly add: boolean },
): void {
  const { relation, entity, field: back } = field.form;
  if (relation === 'many-to-many') {
    if (add) workspace.links.add(object, field, id, other);
    else workspace.links.remove(object, field, id, other);
    return;
  }
  if (back === null) return;
  const state = objectState(workspace, entity);
  const record = storedRecord(state, other);
  const fields = withFields(recordFields(record), [[back, add ? id : null]]);
  const bump = author.bump ?? workspace.switches.linksBump === 'both';
  const refs = add ? [{ entity: object, id }] : [];
  const tell = (): Told => ({ kind: 'set-relationship', relationship: back, refs });
  commitUpdate(workspace, state, record, fields, { ...author, bump, tell });
}

/** Moves `_updated_at` of the ends that the switch names, and notes the change in the history. */
function tellEnds(
  workspace: Workspace,
  { object, id, field }: LinkEnd,
  others: readonly string[],
  author: Author,
): void {
  if (others.length === 0) return;
  const { linksBump } = workspace.switches;
  const state = objectState(workspace, object);
  const { actor, atMs = workspace.now() } = author;
  if (author.bump ?? linksBump !== 'none') touch(workspace, state, storedRecord(state, id), author);
  workspace.history.add(object, id, { ...toldAsLink(field, others), actor, atMs });
  if (field.form.relation !== 'many-to-many' || !(author.bump ?? linksBump === 'both')) return;
  const target = objectState(workspace, field.form.entity);
  for (const other of others) {
    const record = target.records.get(other);
    if (record !== undefined) touch(workspace, target, record, author);
  }
}
