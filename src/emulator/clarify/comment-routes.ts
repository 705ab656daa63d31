import { stringifyJson } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { type Fields, isObject } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, notFound, type Problem } from './api-error.ts';
import type { Comment } from './extras.ts';
import { objectState, storedRecord, type Workspace } from './workspace.ts';
import { actorOf, doneAnswer } from './write-routes.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * `POST /comments`, flat: `{_id?, message, owner_id, entity}`. With an `_id` that there is already
 * it answers the comment as it stands. No endpoint lists comments: activities name them.
 */
export function createComment(workspace: Workspace, request: ApiRequest): Answer {
  const body = isObject(request.body) ? request.body : {};
  const problems: Problem[] = [];
  const textOf = (name: string): string => {
    const value = body[name];
    if (typeof value === 'string') return value;
    problems.push({ pointer: `/${name}`, message: 'must be string' });
    return '';
  };
  const given = body._id === undefined ? null : textOf('_id');
  if (given !== null && !UUID.test(given))
    problems.push({ pointer: '/_id', message: 'must be UUID' });
  const [entity, ownerId] = [textOf('entity'), textOf('owner_id')];
  checkMessage(body, problems);
  if (problems.length > 0) throw invalid(problems);
  const id = given ?? workspace.newId(workspace.random, 'comment');
  const known = workspace.extras.comments.get(id);
  if (known !== undefined) return answer(known, 201);
  const state = objectState(workspace, entity);
  const owner = storedRecord(state, ownerId);
  const [nowMs, actor] = [workspace.now(), actorOf(workspace)];
  const { object } = state.definition;
  const comment: Comment = {
    id,
    entity: object,
    ownerId: owner.id,
    message: body.message ?? null,
    createdBy: actor,
    createdMs: nowMs,
    updatedMs: nowMs,
  };
  workspace.extras.comments.set(id, comment);
  const told = { kind: 'comment', comment: { entity: 'comment', id } } as const;
  workspace.history.add(object, owner.id, { ...told, actor, atMs: nowMs });
  return answer(comment, 201);
}

/** `GET /comments/{id}` */
export function readComment(workspace: Workspace, request: ApiRequest): Answer {
  return answer(commentOf(workspace, request), 200);
}

/** `PATCH /comments/{id}`: the message alone. */
export function updateComment(workspace: Workspace, request: ApiRequest): Answer {
  const comment = commentOf(workspace, request);
  const body = isObject(request.body) ? request.body : {};
  const problems: Problem[] = [];
  checkMessage(body, problems);
  if (problems.length > 0) throw invalid(problems);
  const changed = { ...comment, message: body.message ?? null, updatedMs: workspace.now() };
  workspace.extras.comments.set(comment.id, changed);
  return answer(changed, 200);
}

/** `DELETE /comments/{id}` */
export function deleteComment(workspace: Workspace, request: ApiRequest): Answer {
  workspace.extras.comments.delete(commentOf(workspace, request).id);
  return doneAnswer(workspace);
}

function checkMessage({ message }: Fields, problems: Problem[]): void {
  if (!Array.isArray(message)) {
    problems.push({ pointer: '/message', message: 'must be array of blocks' });
  }
}

/** @throws ApiError 404 */
function commentOf(workspace: Workspace, request: ApiRequest): Comment {
  const comment = workspace.extras.comments.get(request.param('id'));
  if (comment === undefined) throw notFound('Comment');
  return comment;
}

function answer(comment: Comment, status: number): Answer {
  const { id, entity, ownerId, message, createdBy, createdMs, updatedMs } = comment;
  const flat = {
    _id: id,
    entity,
    owner_id: ownerId,
    message,
    _created_by: createdBy,
    _created_at: new Date(createdMs).toISOString(),
    _updated_at: new Date(updatedMs).toISOString(),
  };
  return { status, text: stringifyJson(flat) };
}
