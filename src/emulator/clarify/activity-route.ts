import { stringifyJson } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { notFound } from './api-error.ts';
import { type Activity, type Reference, SCHEMA } from './history.ts';
import { listAnswer } from './list-answer.ts';
import { readWindow } from './list-query.ts';
import { samplePast } from './sample-data/sample-past.ts';
import { type StoredRecord, sampleVersion } from './stored-record.ts';
import type { Switches } from './switches.ts';
import { systemActors } from './users.ts';
import { internalError, objectState, storedRecord, type Workspace } from './workspace.ts';

/** `GET /objects/{object}/records/{id}/activities`: newest first. */
export function listActivities(workspace: Workspace, request: ApiRequest): Answer {
  const object = request.param('object');
  const record = storedRecord(objectState(workspace, object), request.param('id'));
  if (feedFails(workspace.switches.activities, record)) throw internalError();
  const known = workspace.history.of(object, record.id);
  return answerFeed(workspace, request, { entity: object, id: record.id }, [
    ...earlier(workspace, object, record),
    ...known,
  ]);
}

/** `GET /schemas/{entity}/activities`: the same of an object's fields. */
export function listSchemaActivities(workspace: Workspace, request: ApiRequest): Answer {
  const entity = request.param('entity');
  if (!workspace.objects.has(entity)) throw notFound(`Schema ${entity}`);
  if (workspace.switches.activities === '500') throw internalError();
  const subject = { entity: SCHEMA, id: entity };
  return answerFeed(workspace, request, subject, workspace.history.of(SCHEMA, entity));
}

/** Some records' feeds fail for good: those made second, fifth, eighth and so on. */
function feedFails(activities: Switches['activities'], { order }: StoredRecord): boolean {
  return activities === '500' || (activities === 'some' && order % 3 === 1);
}

/** What sample records went through before the start; it is worked out whenever it is asked for. */
function earlier({ seed }: Workspace, object: string, record: StoredRecord): readonly Activity[] {
  const sample = sampleVersion(record);
  return sample === null ? [] : samplePast(seed, object, sample);
}

function answerFeed(
  workspace: Workspace,
  request: ApiRequest,
  subject: Reference,
  asTold: readonly Activity[],
): Answer {
  const window = readWindow(request.query, workspace.switches);
  // A person can act at a time that has passed: the order is of when it was, not of being told.
  const rendered = asTold
    .map((activity, index) => ({ activity, number: index + 1 }))
    .toSorted((a, b) => b.activity.atMs - a.activity.atMs || b.number - a.number)
    .slice(window.offset, window.offset + window.limit)
    .map(({ activity, number }) => render(workspace, subject, activity, number));
  return listAnswer(workspace, request, window, rendered, asTold.length);
}

function render(
  workspace: Workspace,
  subject: Reference,
  activity: Activity,
  number: number,
): string {
  const { kind, actor, atMs } = activity;
  const id = `${subject.id}:${number}`;
  const type = typeName(kind, workspace.switches.activityTypes, number);
  const createdAt = new Date(atMs).toISOString();
  const event = {
    _id: `${id}:1`,
    type,
    _created_at: createdAt,
    actor: { _id: actor, anonymous_id: null, entity: actorEntity(actor), source_id: null },
    ...details(subject, activity),
  };
  const attributes = {
    _id: id,
    _created_at: createdAt,
    aggKey: `${subject.id}:${type}:${number}`,
    data: [event],
  };
  return stringifyJson({ type: 'activity', id, attributes });
}

/** `clarify:set-relationship`, or the same as `ClarifySetRelationship`. */
function typeName(
  kind: Activity['kind'],
  spelling: Switches['activityTypes'],
  number: number,
): string {
  const withColon = spelling === 'colon' || (spelling === 'mixed' && number % 2 === 1);
  if (withColon) return `clarify:${kind}`;
  const words = kind.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `Clarify${words.join('')}`;
}

function actorEntity(actor: string): string {
  return systemActors.find((each) => each === actor) ?? 'user';
}

function details(subject: Reference, activity: Activity): Record<string, unknown> {
  switch (activity.kind) {
    case 'create':
    case 'delete':
      if (activity.data === null) return {};
      return { object: { ...named(subject), data: activity.data } };
    case 'update':
      return { object: { ...named(subject), diff: activity.diff } };
    case 'merge':
      return {
        origin: named(activity.origin),
        target: named(activity.target),
        object: { ...named(subject), diff: activity.diff },
      };
    case 'set-relationship': {
      const { relationship, refs } = activity;
      const [only, ...others] = refs.map(named);
      if (others.length > 0) return { relationship, refs: [only, ...others] };
      return { relationship, ref: only ?? null };
    }
    case 'comment':
      return { object: named(activity.comment) };
  }
}

function named({ entity, id }: Reference) {
  return { _id: id, anonymous_id: null, entity };
}
