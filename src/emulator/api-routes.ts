import { listActivities } from './activity-route.ts';
import { recordingArtifacts } from './artifact-route.ts';
import { mergeRoute } from './merge.ts';
import { listDeleted, listRecords, listUsers, readRecord } from './read-routes.ts';
import { changeRelationship, readRelationship, removeRelationship } from './relationship-routes.ts';
import type { Handler, Route } from './route.ts';
import { listSchemas } from './schema-route.ts';
import { createRecords, deleteRecord, deleteRecords, updateRecords } from './write-routes.ts';

const RECORDS = '/objects/{object}/records';
const LINKS = `${RECORDS}/{id}/relationships/{field}`;

const route = (method: string, pattern: string, handle: Handler): Route => ({
  method,
  pattern,
  handle,
});

/** There is no `GET …/records`: the list is `…/resources`. */
export const apiRoutes: readonly Route[] = [
  route('GET', '/schemas', listSchemas),
  route('GET', '/users', listUsers),
  route('GET', '/objects/{object}/resources', listRecords),
  route('GET', '/objects/{object}/resources/{id}', readRecord),
  route('GET', '/objects/{object}/deleted-resources', listDeleted),
  route('POST', RECORDS, createRecords(false)),
  route('POST', `${RECORDS}/bulk`, createRecords(true)),
  route('PATCH', RECORDS, updateRecords(true)),
  route('DELETE', RECORDS, deleteRecords),
  route('GET', `${RECORDS}/{id}`, readRecord),
  route('PATCH', `${RECORDS}/{id}`, updateRecords(false)),
  route('DELETE', `${RECORDS}/{id}`, deleteRecord),
  route('POST', `${RECORDS}/{id}/merges`, mergeRoute),
  route('GET', `${RECORDS}/{id}/activities`, listActivities),
  route('GET', LINKS, readRelationship),
  route('PATCH', LINKS, changeRelationship),
  route('DELETE', LINKS, removeRelationship),
  route('POST', '/meetings/{id}/recordings/{recording}/artifacts', recordingArtifacts),
];
