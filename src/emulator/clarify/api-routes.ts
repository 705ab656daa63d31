import type { Handler, Route } from '../kernel/route.ts';
import { listActivities, listSchemaActivities } from './activity-route.ts';
import { recordingArtifacts, uploadTranscript } from './artifact-route.ts';
import { createComment, deleteComment, readComment, updateComment } from './comment-routes.ts';
import {
  listAttachments,
  listRecipients,
  listSettings,
  listWorkflows,
  readSetting,
} from './extra-routes.ts';
import { checkQuery } from './list-query.ts';
import { exportMembers, listLists, listMembers, listObjectLists, readList } from './list-routes.ts';
import { mergeRoute } from './merge.ts';
import { listDeleted, listRecords, readRecord } from './read-routes.ts';
import { changeRelationship, readRelationship, removeRelationship } from './relationship-routes.ts';
import { listSchemas } from './schema-route.ts';
import { listUsers, readUser } from './user-routes.ts';
import type { Workspace } from './workspace.ts';
import { createRecords, deleteRecord, deleteRecords, updateRecords } from './write-routes.ts';

const RESOURCES = '/objects/{object}/resources';
const RECORDS = '/objects/{object}/records';
const LIST = '/objects/{object}/lists/{list}';
const LINKS = `${RECORDS}/{id}/relationships/{field}`;

const route = (method: string, pattern: string, handle: Handler<Workspace>): Route<Workspace> => ({
  method,
  pattern,
  handle(workspace, request) {
    if (method === 'GET') checkQuery(request.query);
    return handle(workspace, request);
  },
});

/** There is no `GET …/records`: the list is `…/resources`. */
export const apiRoutes: readonly Route<Workspace>[] = [
  route('GET', '/schemas', listSchemas),
  route('GET', '/schemas/{entity}/activities', listSchemaActivities),
  route('GET', '/users', listUsers),
  route('GET', '/users/{id}', readUser),
  route('GET', RESOURCES, listRecords),
  route('POST', RESOURCES, createRecords(false)),
  route('GET', `${RESOURCES}/{id}`, readRecord('resource')),
  route('GET', '/objects/{object}/deleted-resources', listDeleted),
  route('POST', RECORDS, createRecords(false)),
  route('POST', `${RECORDS}/bulk`, createRecords(true)),
  route('PATCH', RECORDS, updateRecords(true)),
  route('DELETE', RECORDS, deleteRecords),
  route('GET', `${RECORDS}/{id}`, readRecord('record')),
  route('PATCH', `${RECORDS}/{id}`, updateRecords(false)),
  route('DELETE', `${RECORDS}/{id}`, deleteRecord),
  route('POST', `${RECORDS}/{id}/merges`, mergeRoute),
  route('GET', `${RECORDS}/{id}/activities`, listActivities),
  route('GET', LINKS, readRelationship),
  route('PATCH', LINKS, changeRelationship),
  route('DELETE', LINKS, removeRelationship),
  route('POST', '/meetings/{id}/recordings/{recording}/artifacts', recordingArtifacts),
  route('POST', '/meetings/{id}/transcript', uploadTranscript),
  route('GET', '/lists', listLists),
  route('GET', '/objects/{object}/lists', listObjectLists),
  route('GET', LIST, readList),
  route('GET', `${LIST}/resources`, listMembers),
  route('POST', `${LIST}/rows/csv`, exportMembers),
  route('GET', '/settings', listSettings),
  route('GET', '/settings/{key}', readSetting),
  route('POST', '/comments', createComment),
  route('GET', '/comments/{id}', readComment),
  route('PATCH', '/comments/{id}', updateComment),
  route('DELETE', '/comments/{id}', deleteComment),
  route('GET', `${RECORDS}/{id}/attachments`, listAttachments),
  route('GET', '/workflows', listWorkflows),
  route('GET', '/campaigns/{id}/recipients', listRecipients),
];
