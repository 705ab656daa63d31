import type { Json } from '../../domain/json.ts';
import type { Fields } from '../kernel/fields.ts';
import { recordValue } from './attributes.ts';
import { inUtc } from './instants.ts';
import type { End } from './links.ts';
import { changed, clears } from './query.ts';
import type { CustomObject, ObjectRecord, Workspace } from './workspace.ts';

/**
 * What attributes are to be. Keys that are unknown, labels in place of keys and values of a wrong type
 * are ignored without a word.
 */
export function readRecordAttributes(
  { switches }: Workspace,
  object: CustomObject,
  given: Fields,
): Map<string, Json> {
  const changes = new Map<string, Json>();
  for (const [key, value] of Object.entries(given)) {
    const attribute = object.attributes.find((each) => each.key === key);
    if (attribute === undefined) continue;
    if (clears(value, switches.recordsClear)) changes.set(key, null);
    else {
      const kept = value === null ? undefined : recordValue(attribute, value, switches);
      if (kept !== undefined) changes.set(key, kept);
    }
  }
  return changes;
}

export interface NewRecord {
  readonly extId: string | null;
  readonly attributes: ReadonlyMap<string, Json>;
  readonly createdMs: number;
}

/** @returns the record as it stands then */
export function insertRecord(
  workspace: Workspace,
  object: CustomObject,
  { extId, attributes, createdMs }: NewRecord,
): ObjectRecord {
  const revived = extId === null ? undefined : object.deleted.get(extId);
  if (extId !== null) object.deleted.delete(extId);
  const record =
    revived !== undefined && workspace.switches.revived === 'same'
      ? {
          ...revived,
          attributes: changed(revived.attributes, attributes),
          updatedMs: Math.max(revived.updatedMs, createdMs),
        }
      : {
          id: object.nextId,
          order: workspace.nextOrder(),
          extId,
          attributes: changed({}, attributes),
          createdMs,
          updatedMs: createdMs,
        };
  object.nextId = Math.max(object.nextId, record.id + 1);
  placeRecord(object, record);
  return record;
}

export function updateRecord(
  object: CustomObject,
  record: ObjectRecord,
  attributes: ReadonlyMap<string, Json>,
  atMs: number,
): ObjectRecord {
  const after = {
    ...record,
    attributes: changed(record.attributes, attributes),
    updatedMs: Math.max(record.updatedMs, atMs),
  };
  placeRecord(object, after);
  return after;
}

function placeRecord({ shelf, byExtId }: CustomObject, record: ObjectRecord): void {
  shelf.put(record.id, record);
  if (record.extId !== null) byExtId.set(record.extId, record.id);
}

/** Nothing happens where there is none. */
export function deleteRecord({ links }: Workspace, object: CustomObject, id: number): void {
  const record = object.shelf.items.get(id);
  if (record === undefined) return;
  object.shelf.remove(id);
  links.drop({ type: object.type, id: String(id) });
  if (record.extId === null) return;
  object.byExtId.delete(record.extId);
  object.deleted.set(record.extId, record);
}

/** Undefined where there is none. */
export function findRecord(
  { shelf, byExtId }: CustomObject,
  identifiers: { readonly id?: number | undefined; readonly ext_id?: string | undefined },
): ObjectRecord | undefined {
  const { id, ext_id: extId } = identifiers;
  if (id !== undefined) return shelf.items.get(id);
  return extId === undefined ? undefined : shelf.items.get(byExtId.get(extId) ?? -1);
}

export function shownRecordAttributes(
  { switches }: Workspace,
  { attributes: known }: CustomObject,
  { attributes }: ObjectRecord,
): Fields {
  const shown: [string, Json][] = [];
  for (const { key } of known) {
    const value = attributes[key];
    if (value !== undefined) shown.push([key, value]);
    else if (switches.noValue === 'null') shown.push([key, null]);
  }
  return Object.fromEntries(shown);
}

/** As lists show it, its associations apart. */
export function renderRecord(
  workspace: Workspace,
  object: CustomObject,
  record: ObjectRecord,
): Fields {
  const { id, extId, createdMs, updatedMs } = record;
  return {
    identifiers: { id, ...(extId === null ? {} : { ext_id: extId }) },
    attributes: shownRecordAttributes(workspace, object, record),
    createdAt: inUtc(createdMs, workspace.switches),
    updatedAt: inUtc(updatedMs, workspace.switches),
  };
}

/** Companies and deals have a number of their own among associations. */
export function numberOf({ crm, switches }: Workspace, { type, id }: End): Json {
  const state = type === 'company' ? crm.companies : type === 'deal' ? crm.deals : null;
  if (state === null) return Number(id);
  return switches.standardIds === 'same' ? id : (state.shelf.items.get(id)?.order ?? null);
}
