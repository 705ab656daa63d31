import { stringifyJson } from '../domain/json.ts';
import type { Activity } from './history.ts';
import { type Answer, listAnswer } from './list-answer.ts';
import { readWindow } from './list-query.ts';
import type { ApiRequest } from './route.ts';
import type { StoredRecord } from './stored-record.ts';
import { internalError, objectState, storedRecord, type Workspace } from './workspace.ts';

/** `GET /objects/{object}/records/{id}/activities`: newest first. */
export function listActivities(workspace: Workspace, request: ApiRequest): Answer {
  const object = request.param('object');
  const record = storedRecord(objectState(workspace, object), request.param('id'));
  if (workspace.switches.activities === '500') throw internalError();
  const known = workspace.history.of(object, record.id);
  const all = [...earlier(record, known), ...known].toReversed();
  const window = readWindow(request.query, workspace.switches);
  const rendered = all
    .map((activity, index) => render(object, record.id, activity, all.length - index))
    .slice(window.offset, window.offset + window.limit);
  return listAnswer(workspace, request, window, rendered, all.length);
}

/** What sample records went through before the start is told without its details. */
function earlier(record: StoredRecord, known: readonly Activity[]): Activity[] {
  if (known.some(({ type }) => type === 'clarify:create')) return [];
  const { createdBy, createdMs, updatedBy, updatedMs, edited } = record;
  const activities: Activity[] = [
    { type: 'clarify:create', actor: createdBy, atMs: createdMs, diff: [] },
  ];
  if (edited && known.length === 0) {
    activities.push({ type: 'clarify:update', actor: updatedBy, atMs: updatedMs, diff: [] });
  }
  return activities;
}

function render(object: string, id: string, activity: Activity, number: number): string {
  const { type, actor, atMs, diff } = activity;
  const entry = {
    type,
    actor,
    _created_at: new Date(atMs).toISOString(),
    object: { type: object, id, diff },
  };
  return stringifyJson({
    type: 'activity',
    id: `${id}:${number}`,
    attributes: { data: [entry] },
  });
}
