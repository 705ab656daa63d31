import { createHash } from 'node:crypto';
import { stringifyJson } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { fieldOf } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { notFound } from './api-error.ts';
import type { Resource } from './extras.ts';
import { listAnswer } from './list-answer.ts';
import { filterParameters, readWindow } from './list-query.ts';
import type { StoredRecord } from './stored-record.ts';
import { objectState, storedRecord, type Workspace } from './workspace.ts';

/** `GET /settings`: flat, by key. */
export function listSettings({ extras }: Workspace): Answer {
  return { status: 200, text: stringifyJson(extras.settings) };
}

/** `GET /settings/{key}` */
export function readSetting({ extras }: Workspace, request: ApiRequest): Answer {
  const key = request.param('key');
  if (!Object.hasOwn(extras.settings, key)) throw notFound('Setting');
  return { status: 200, text: stringifyJson({ value: fieldOf(extras.settings, key) }) };
}

/** `GET /workflows`, of one `filter[type]` or of all */
export function listWorkflows(workspace: Workspace, request: ApiRequest): Answer {
  const wanted = filterParameters(request.query).find(({ field }) => field === 'type');
  const found = workspace.extras.workflows.filter(
    ({ fields }) => wanted === undefined || fields.type === wanted.value,
  );
  return answerResources(workspace, request, 'workflow', found);
}

/** `GET /campaigns/{id}/recipients` */
export function listRecipients(workspace: Workspace, request: ApiRequest): Answer {
  const recipients = workspace.extras.campaigns.get(request.param('id'));
  if (recipients === undefined) throw notFound('Campaign');
  return answerResources(workspace, request, 'campaign-recipient', recipients);
}

/** `GET …/records/{id}/attachments`, flat. */
export function listAttachments(workspace: Workspace, request: ApiRequest): Answer {
  const record = storedRecord(objectState(workspace, request.param('object')), request.param('id'));
  const found = workspace.extras.attachments.get(record.id) ?? sampleAttachments(record);
  const window = readWindow(request.query, workspace.switches);
  const rendered = found
    .slice(window.offset, window.offset + window.limit)
    .map(({ id, fields }) => stringifyJson({ _id: id, ...fields }));
  return listAnswer(workspace, request, window, rendered, found.length);
}

/** Every fifth record has one. */
function sampleAttachments({ id, order, createdMs }: StoredRecord): readonly Resource[] {
  if (order % 5 !== 0) return [];
  const createdAt = new Date(createdMs).toISOString();
  const fields = {
    name: 'Brief.pdf',
    source: 'upload',
    mime_type: 'application/pdf',
    size_bytes: 48_213,
    _created_at: createdAt,
    _updated_at: createdAt,
  };
  return [{ id: createHash('sha256').update(id).digest('hex').slice(0, 32), fields }];
}

function answerResources(
  workspace: Workspace,
  request: ApiRequest,
  type: string,
  found: readonly Resource[],
): Answer {
  const window = readWindow(request.query, workspace.switches);
  const rendered = found
    .slice(window.offset, window.offset + window.limit)
    .map(({ id, fields }) => stringifyJson({ type, id, attributes: { _id: id, ...fields } }));
  return listAnswer(workspace, request, window, rendered, found.length);
}
