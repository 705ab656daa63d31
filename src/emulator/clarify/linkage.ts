import { fieldOf } from '../kernel/fields.ts';
import { viewOf } from './list-answer.ts';
import { type LinkField, linksToMany } from './object-definition.ts';
import {
  type RecordParts,
  recordFields,
  recordParts,
  renderRecord,
  type StoredRecord,
} from './stored-record.ts';
import { linkedIds, type Workspace } from './workspace.ts';

/** One record with the linkage that `include` asked for, as JSON. */
export function renderWithLinks(
  workspace: Workspace,
  object: string,
  record: StoredRecord,
  include: readonly LinkField[],
): string {
  const members = linkages(workspace, object, record, include);
  return renderRecord(object, record, viewOf(workspace), { members });
}

/** The same, for a list. */
export function partsWithLinks(
  workspace: Workspace,
  object: string,
  record: StoredRecord,
  include: readonly LinkField[],
): RecordParts {
  const members = linkages(workspace, object, record, include);
  return recordParts(object, record, viewOf(workspace), { members });
}

function linkages(
  workspace: Workspace,
  object: string,
  record: StoredRecord,
  include: readonly LinkField[],
): string {
  if (include.length === 0) return '';
  const parts = include.map(
    (field) => `${JSON.stringify(field.name)}:${linkage(workspace, object, record, field)}`,
  );
  return `,"relationships":{${parts.join(',')}}`;
}

function linkage(
  workspace: Workspace,
  object: string,
  record: StoredRecord,
  field: LinkField,
): string {
  const { ids, count } = listedIds(workspace, object, record, field);
  const listed = ids.map((id) => `{"type":"${field.form.entity}","id":${JSON.stringify(id)}}`);
  if (!linksToMany(field.form)) return `{"data":${listed[0] ?? 'null'}}`;
  return `{"data":[${listed.join(',')}],"meta":{"count":${count}}}`;
}

/** The ids a linkage lists, at most as many as the cap allows, and how many there are. */
function listedIds(
  workspace: Workspace,
  object: string,
  record: StoredRecord,
  field: LinkField,
): { readonly ids: readonly string[]; readonly count: number } {
  if (!linksToMany(field.form)) {
    const target = fieldOf(recordFields(record), field.name);
    return typeof target === 'string' ? { ids: [target], count: 1 } : { ids: [], count: 0 };
  }
  const all = linkedIds(workspace, object, field, record.id);
  const ids: string[] = [];
  for (const id of all) {
    if (ids.length === workspace.switches.linkageCap) break;
    ids.push(id);
  }
  return { ids, count: all.size };
}

/** Every record that the linkages list, whole, once. */
export function includedRecords(
  workspace: Workspace,
  object: string,
  records: readonly StoredRecord[],
  include: readonly LinkField[],
): RecordParts[] {
  const found = new Map<string, RecordParts>();
  for (const field of include) {
    const { entity } = field.form;
    const targets = workspace.objects.get(entity)?.records;
    for (const record of records) {
      for (const id of listedIds(workspace, object, record, field).ids) {
        const target = targets?.get(id);
        if (target === undefined || found.has(`${entity}/${id}`)) continue;
        found.set(`${entity}/${id}`, recordParts(entity, target, viewOf(workspace)));
      }
    }
  }
  return [...found.values()];
}
