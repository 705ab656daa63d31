import { stringifyJson } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import type { Fields } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { forbidden, notFound, refuse, ValueProblem, wrongKey } from './api-error.ts';
import {
  type Business,
  lock,
  type ObjectState,
  objectState,
  type StoredRecord,
  textIn,
  writableRecord,
} from './business.ts';
import { commitValues } from './commit.ts';
import { type Field, isStage, plainText } from './field.ts';
import { checkTaken, keyOf, readPolicy, settleArchived } from './namesakes.ts';
import { readValue } from './read-value.ts';
import { archiveRecord, createRecord, moveRecord, namesakes, unarchiveRecord } from './records.ts';
import { renderRecord } from './render.ts';
import { checkRequired, readFields, readObject, type WriteRequest } from './write-body.ts';

type Action = 'created' | 'updated' | 'unarchived';

/** `POST /records/{object}/add` */
export function addRoute(business: Business, request: ApiRequest): Answer {
  const state = writableObject(business, request);
  const body = readObject(business, request.body);
  const write = readFields(business, state, body, null);
  const [id, action] = create(business, state, write, body['unarchive']);
  const { addStatus } = business.switches;
  return answerWrite(business, state, id, { status: Number(addStatus), action, fields: null });
}

/** `POST /records/{object}/upsert`: the first live record with the key, in any case, or a new one. */
export function upsertRoute(business: Business, request: ApiRequest): Answer {
  const state = writableObject(business, request);
  const body = readObject(business, request.body);
  const { lookup_value: lookup } = body;
  if (typeof lookup !== 'string' || lookup.trim() === '') {
    throw wrongKey(business.switches, 'lookup_value', 'This field is required.', 'required');
  }
  const found = namesakes(state, lookup).find(
    ({ id, archived }) => !archived && !state.hidden.has(id),
  );
  const write = readFields(business, state, body, found ?? null);
  const asked =
    request.query.get('return_all_fields') === 'true' ? null : [...write.changes.keys()];
  if (found !== undefined) {
    lock(business, state, found.id);
    update(business, state, found, write, body['onupdate_archived_conflict']);
    return answerWrite(business, state, found.id, { action: 'updated', fields: asked });
  }
  if (keyOf(state, write) === null && write.placeOf(state.keyField) === null) {
    try {
      write.changes.set(state.keyField, readValue(business, state.keyField, lookup));
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error;
      throw wrongKey(business.switches, 'lookup_value', error.message, error.code);
    }
  }
  const [id, action] = create(business, state, write, body['oncreate_unarchive']);
  return answerWrite(business, state, id, { status: 201, action, fields: asked });
}

/** `PATCH /records/{object}/{id}` */
export function patchRoute(business: Business, request: ApiRequest): Answer {
  const state = writableObject(business, request);
  const record = writableRecord(business, state, request.param('id'));
  const body = readObject(business, request.body);
  const write = readFields(business, state, { fields: [], ...body }, record);
  update(business, state, record, write, body['archived_conflict']);
  const isAll = request.query.get('return_all_fields') === 'true';
  return answerWrite(business, state, record.id, {
    fields: isAll ? null : [...write.changes.keys()],
  });
}

/** `PUT /records/{object}/{id}`: what is not sent is gone. */
export function putRoute(business: Business, request: ApiRequest): Answer {
  const state = writableObject(business, request);
  const record = writableRecord(business, state, request.param('id'));
  const write = readFields(business, state, readObject(business, request.body), record);
  checkRequired(state, write);
  for (const field of state.fields) {
    const isKept = field.readOnly || field.deleted || isStage(field) || write.changes.has(field);
    if (!isKept) write.changes.set(field, null);
  }
  update(business, state, record, write, undefined);
  return answerWrite(business, state, record.id, { fields: null });
}

/** `PATCH /records/{object}/{id}/move` */
export function moveRoute(business: Business, request: ApiRequest): Answer {
  const state = writableObject(business, request);
  if (state.stages.length === 0) throw refuse(400, 'invalid', 'This object has no stages.');
  const record = writableRecord(business, state, request.param('id'));
  const { stage_id: given } = readObject(business, request.body);
  if (given === undefined) {
    throw wrongKey(business.switches, 'stage_id', 'This field is required.', 'required');
  }
  const stage = state.stages.find(({ id }) => id === given);
  if (stage === undefined) {
    const message = `Invalid pk "${plainText(given)}" - object does not exist.`;
    throw wrongKey(business.switches, 'stage_id', message, 'does_not_exist');
  }
  const fields = moveRecord(business, state, record, stage, business.stamp());
  return answerWrite(business, state, record.id, { fields });
}

/** `DELETE /records/{object}/{id}`: archives. */
export function archiveRoute(business: Business, request: ApiRequest): Answer {
  const state = writableObject(business, request);
  const id = request.param('id');
  if (state.records.get(id)?.archived) throw notFound();
  archiveRecord(business, state, writableRecord(business, state, id));
  return { status: 204, text: '', recordsWritten: 1 };
}

/** `PATCH /records/{object}/{id}/unarchive` */
export function unarchiveRoute(business: Business, request: ApiRequest): Answer {
  const state = writableObject(business, request);
  const id = request.param('id');
  const record = state.records.get(id);
  if (record === undefined || state.hidden.has(id)) throw notFound();
  if (!record.archived) throw refuse(400, 'invalid', 'The record is not archived.');
  lock(business, state, id);
  refuseComeback(business, state, record);
  unarchiveRecord(business, state, record, business.stamp());
  return answerWrite(business, state, id, { fields: [] });
}

/** Somebody else may have its key by now. @throws ApiError 409 */
function refuseComeback({ switches }: Business, state: ObjectState, record: StoredRecord): void {
  const key = textIn(record, state.keyField);
  if (key === null || (!state.isContacts && switches.names === 'free')) return;
  if (!namesakes(state, key).some(({ archived }) => !archived)) return;
  const detail = `Another record has this ${state.keyField.name} by now.`;
  throw refuse(409, 'conflict', detail);
}

/** @throws ApiError 400, 403, 409 */
function create(
  business: Business,
  state: ObjectState,
  write: WriteRequest,
  policy: unknown,
): [id: string, action: Action] {
  checkRequired(state, write);
  checkTaken(business, state, null, write);
  write.problems.settle();
  const holder = settleArchived(business, state, write, readPolicy(policy));
  const at = business.stamp();
  if (holder === null) return [createRecord(business, state, write.changes, at), 'created'];
  unarchiveRecord(business, state, holder, at);
  commitValues(business, state, holder.id, write.changes, at);
  return [holder.id, 'unarchived'];
}

/** @throws ApiError 400, 403, 409 */
function update(
  business: Business,
  state: ObjectState,
  record: StoredRecord,
  write: WriteRequest,
  policy: unknown,
): void {
  const isRename = keyOf(state, write) !== textIn(record, state.keyField);
  if (isRename) checkTaken(business, state, record.id, write);
  write.problems.settle();
  const asked = policy === 'overwrite' ? 'overwrite' : 'prompt';
  if (isRename) settleArchived(business, state, write, asked);
  commitValues(business, state, record.id, write.changes, business.stamp());
}

/** @throws ApiError 403, 404 */
export function writableObject(business: Business, request: ApiRequest): ObjectState {
  const state = objectState(business, request.param('object'));
  if (!state.access.edit) throw forbidden();
  return state;
}

interface Told {
  readonly status?: number;
  readonly action?: Action;
  /** Told beside `updated`; null for all. */
  readonly fields: readonly Field[] | null;
}

function answerWrite(
  business: Business,
  state: ObjectState,
  id: string,
  { status = 200, action, fields }: Told,
): Answer {
  const record = state.records.get(id);
  if (record === undefined) throw notFound();
  const isAll = fields === null || business.switches.writeAnswers === 'everything';
  const picks = (field: Field): boolean =>
    isAll || fields.includes(field) || (field.isDefault && field.name === 'updated');
  const told: Fields = renderRecord(business, state, record, { picks });
  const text = stringifyJson(action === undefined ? told : { action, ...told });
  return { status, text, recordsWritten: 1 };
}
