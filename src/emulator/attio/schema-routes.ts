import type { Answer } from '../kernel/answer.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { notFound } from './api-error.ts';
import type { Attribute } from './attribute.ts';
import { answer } from './record-routes.ts';
import { renderAttribute, renderObject, renderOption } from './render.ts';
import {
  findAttribute,
  type Member,
  type ObjectState,
  objectState,
  type Workspace,
} from './workspace.ts';

/** `GET /objects`: all of them at once. */
export function listObjects(workspace: Workspace): Answer {
  return answer(workspace.objects.map((state) => renderObject(workspace, state)));
}

export function readObject(workspace: Workspace, request: ApiRequest): Answer {
  return answer(renderObject(workspace, objectState(workspace, request.param('object'))));
}

/** `GET /objects/{object}/attributes` */
export function listAttributes(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  const shown = state.attributes.filter(({ archived }) => !archived || showsArchived(request));
  const offset = Number(request.query.get('offset') ?? 0);
  const limit = Number(request.query.get('limit') ?? shown.length);
  return answer(
    shown.slice(offset, offset + limit).map((each) => renderAttribute(workspace, state, each)),
  );
}

export function readAttribute(workspace: Workspace, request: ApiRequest): Answer {
  const state = objectState(workspace, request.param('object'));
  return answer(renderAttribute(workspace, state, attributeAt(state, request)));
}

/** `GET …/attributes/{attribute}/options`, `…/statuses` */
export function listOptions(type: 'select' | 'status') {
  return (workspace: Workspace, request: ApiRequest): Answer => {
    const state = objectState(workspace, request.param('object'));
    const attribute = attributeAt(state, request);
    if (attribute.type !== type) throw notFound(`Attribute "${attribute.slug}" has no such list.`);
    const shown = attribute.options.filter(({ archived }) => !archived || showsArchived(request));
    return answer(shown.map(({ id }) => renderOption(workspace, state, attribute, id)));
  };
}

function showsArchived({ query }: ApiRequest): boolean {
  return query.get('show_archived') === 'true';
}

/** @throws ApiError 404 */
function attributeAt(state: ObjectState, request: ApiRequest): Attribute {
  const name = request.param('attribute');
  const attribute = findAttribute(state, name);
  if (attribute === null) throw notFound(`Could not find attribute with slug/ID "${name}".`);
  return attribute;
}

/** `GET /workspace_members` */
export function listMembers(workspace: Workspace): Answer {
  return answer(workspace.members.map((member) => renderMember(workspace, member)));
}

export function readMember(workspace: Workspace, request: ApiRequest): Answer {
  const found = workspace.members.find(({ id }) => id === request.param('id'));
  if (found === undefined) throw notFound('Could not find workspace member.');
  return answer(renderMember(workspace, found));
}

function renderMember({ id, members: [first] }: Workspace, member: Member) {
  return {
    id: { workspace_id: id, workspace_member_id: member.id },
    first_name: member.firstName,
    last_name: member.lastName,
    avatar_url: null,
    email_address: member.email,
    created_at: member.createdAt,
    access_level: member === first ? 'admin' : 'member',
  };
}
