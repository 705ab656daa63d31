import * as z from 'zod';
import type { Answer } from '../kernel/answer.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, refuse } from './api-error.ts';
import { answer } from './contact-routes.ts';
import { exists } from './crm-items.ts';
import type { End } from './links.ts';
import { customObject } from './object-routes.ts';
import { attributesSchema, readBody } from './query.ts';
import {
  deleteRecord,
  findRecord,
  insertRecord,
  readRecordAttributes,
  updateRecord,
} from './records.ts';
import type { CustomObject, ObjectRecord, Workspace } from './workspace.ts';

const MAX_RECORDS = 1_000;
const MAX_ATTRIBUTES = 500;
/** Of entries that link, of those that unlink, and of associated records of each type. */
const MAX_LINKS = 10;

const identifiersSchema = z.object({
  id: z.number().int().positive().optional(),
  ext_id: z.string().min(1).optional(),
});
const associationSchema = z.object({
  object_type: z.string(),
  action: z.enum(['link', 'unlink']).default('link'),
  records: z.array(z.object({ identifiers: identifiersSchema })),
});
const recordSchema = z.object({
  identifiers: identifiersSchema.default({}),
  attributes: attributesSchema.default({}),
  associations: z.array(associationSchema).default([]),
});
const upsertSchema = z.object({ records: z.array(recordSchema).min(1) });

/** One request under way. */
interface Batch {
  readonly object: CustomObject;
  /** Ids of the records that it has made: nothing can be linked to them before it is done. */
  readonly born: Set<number>;
}

type Given = z.infer<typeof recordSchema>;
type Association = z.infer<typeof associationSchema>;

/** `POST /objects/{object}/batch/upsert`: what a record came to is told by nobody. */
export function upsertRecords(workspace: Workspace, request: ApiRequest): Answer {
  const object = customObject(workspace, request);
  const { records } = readBody(upsertSchema, request.body);
  if (records.length > MAX_RECORDS) throw refuse(400, 'out_of_range', 'At most 1000 records');
  for (const record of records) refuseTooMuch(record);
  const batch: Batch = { object, born: new Set() };
  const steps = records.map((record) => () => {
    if (workspace.random.next() >= workspace.switches.dropShare) upsert(workspace, batch, record);
  });
  return accepted(workspace, 'OBJECT_RECORDS_UPSERT', steps);
}

function accepted(workspace: Workspace, name: string, steps: readonly (() => void)[]): Answer {
  const processId = workspace.jobs.submit({ name, steps });
  const message = 'Your request is being processed';
  return answer({ processId, message }, { status: 202, recordsWritten: steps.length });
}

function refuseTooMuch({ attributes, associations }: Given): void {
  if (Object.keys(attributes).length > MAX_ATTRIBUTES) {
    throw refuse(400, 'out_of_range', `At most ${MAX_ATTRIBUTES} attributes`);
  }
  const counts = new Map<string, number>();
  for (const { object_type: type, action, records } of associations) {
    counts.set(action, (counts.get(action) ?? 0) + 1);
    counts.set(`of ${type}`, (counts.get(`of ${type}`) ?? 0) + records.length);
  }
  if ([...counts.values()].some((count) => count > MAX_LINKS)) {
    throw refuse(400, 'out_of_range', `At most ${MAX_LINKS} associations of a kind`);
  }
}

/** `id` only updates, and wins; `ext_id` creates or updates; without either it always creates. */
function upsert(workspace: Workspace, batch: Batch, given: Given): void {
  const { switches } = workspace;
  const { object } = batch;
  if (Object.keys(given.attributes).length === 0 && switches.bareRecords === 'drop') return;
  const { id, ext_id: extId = null } = given.identifiers;
  const existing = findRecord(object, given.identifiers);
  if (existing === undefined && id !== undefined) return;
  const attributes = readRecordAttributes(workspace, object, given.attributes);
  const nowMs = workspace.now();
  const record =
    existing === undefined
      ? insertRecord(workspace, object, { extId, attributes, createdMs: nowMs })
      : Object.keys(given.attributes).length === 0
        ? existing
        : updateRecord(object, existing, attributes, nowMs);
  if (existing === undefined) batch.born.add(record.id);
  if (associate(workspace, batch, record, given.associations) && switches.recordLinksMove) {
    updateRecord(object, record, new Map(), nowMs);
  }
}

/** @returns whether any link came or went */
function associate(
  workspace: Workspace,
  { object, born }: Batch,
  { id }: ObjectRecord,
  associations: readonly Association[],
): boolean {
  const own = { type: object.type, id: String(id) };
  let changes = 0;
  for (const { object_type: type, action, records } of associations) {
    if (!mayAssociate(workspace, object, type)) continue;
    for (const { identifiers } of records) {
      const other = otherEnd(workspace, type, identifiers);
      if (other === null || (type === object.type && born.has(Number(other.id)))) continue;
      if (workspace.links[action](own, other)) changes += 1;
    }
  }
  return changes > 0;
}

/** Said of either object in the app. */
function mayAssociate({ objects }: Workspace, object: CustomObject, type: string): boolean {
  return object.associations.has(type) || objects.get(type)?.associations.has(object.type) === true;
}

/** Null where it does not exist: contacts by `id`, companies and deals by their id in `ext_id`. */
function otherEnd(
  workspace: Workspace,
  type: string,
  identifiers: Given['identifiers'],
): End | null {
  const { id, ext_id: extId } = identifiers;
  const target = workspace.objects.get(type);
  const found =
    target !== undefined
      ? findRecord(target, identifiers)?.id
      : type === 'contact'
        ? id
        : type === 'company' || type === 'deal'
          ? extId
          : undefined;
  const end = found === undefined ? null : { type, id: String(found) };
  return end !== null && exists(workspace, end) ? end : null;
}

const deleteSchema = z.object({
  identifiers: z.object({
    ids: z.array(z.number().int()).optional(),
    ext_ids: z.array(z.string()).optional(),
  }),
});

/** `POST /objects/{object}/batch/delete` */
export function deleteRecords(workspace: Workspace, request: ApiRequest): Answer {
  const object = customObject(workspace, request);
  const { ids, ext_ids: extIds } = readBody(deleteSchema, request.body).identifiers;
  if ((ids === undefined) === (extIds === undefined)) {
    throw invalid('Either ids or ext_ids must be provided, but not both');
  }
  const named = [
    ...(ids ?? []).map((id) => ({ id })),
    ...(extIds ?? []).map((extId) => ({ ext_id: extId })),
  ];
  if (named.length === 0) throw invalid('identifiers are empty');
  if (named.length > MAX_RECORDS) throw refuse(400, 'out_of_range', 'At most 1000 identifiers');
  const steps = named.map((identifiers) => () => {
    const record = findRecord(object, identifiers);
    if (record !== undefined) deleteRecord(workspace, object, record.id);
  });
  return accepted(workspace, 'OBJECT_RECORDS_DELETE', steps);
}
