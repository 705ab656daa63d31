import { stringifyJson } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { type Fields, isList } from '../kernel/fields.ts';
import type { WireRequest } from '../kernel/model.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { forbidden, wrongKey } from './api-error.ts';
import { type Business, findRecord, type ObjectState, objectWithId } from './business.ts';
import { commitValues } from './commit.ts';
import { archiveRecord } from './records.ts';
import { readFields, readObject } from './write-body.ts';

/** `POST /custom-objects/{id}/bulk-archive-entity-record`: done a moment after it is answered. */
export function bulkArchiveRoute(business: Business, request: ApiRequest): Answer {
  const [state, body, ids] = readBulk(business, request);
  bulk(business, body, () => {
    for (const id of ids) {
      const record = findRecord(state, id);
      if (record !== null) archiveRecord(business, state, record);
    }
  });
  return answered({ number_archived: ids.length, async: true }, ids);
}

/** `POST /custom-objects/{id}/bulk-change-field-value`: one field of many records, with one time. */
export function bulkChangeRoute(business: Business, request: ApiRequest): Answer {
  const [state, body, ids] = readBulk(business, request);
  const { field_id: id, value = null } = body;
  const entry: Fields = { fields: [{ id: id ?? null, value }] };
  const anyRecord = state.records.get(ids[0] ?? '') ?? null;
  const { changes, problems } = readFields(business, state, entry, anyRecord);
  problems.settle();
  bulk(business, body, () => {
    const at = business.stamp();
    for (const each of ids) {
      if (findRecord(state, each) !== null) commitValues(business, state, each, changes, at);
    }
  });
  return answered({ number_changed: ids.length, async: true }, ids);
}

/** Unless a bulk call asks for none, its user gets a mail. */
export function isBulkMail({ url, body }: Pick<WireRequest, 'url' | 'body'>): boolean {
  return /\/bulk-/.test(url.pathname) && !/"send_email_notification"\s*:\s*false/.test(body);
}

/** @throws ApiError 400, 403, 404 */
function readBulk(
  business: Business,
  request: ApiRequest,
): [ObjectState, body: Fields, ids: readonly string[]] {
  const state = objectWithId(business, request.param('id'));
  if (!state.access.edit) throw forbidden();
  const body = readObject(business, request.body);
  const { record_ids: ids = null } = body;
  if (!isList(ids) || ids.length === 0) {
    throw wrongKey(business.switches, 'record_ids', 'This field is required.', 'required');
  }
  return [state, body, ids.map(String)];
}

function bulk(business: Business, body: Fields, run: () => void): void {
  if (body['send_email_notification'] !== false) business.mails += 1;
  const { bulkMs } = business.switches;
  if (bulkMs === 0) run();
  else business.later(business.now() + bulkMs, run);
}

function answered(told: Fields, ids: readonly string[]): Answer {
  return { status: 200, text: stringifyJson(told), recordsWritten: ids.length };
}
