import type { Answer } from '../kernel/answer.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { notFound } from './api-error.ts';
import { listAnswer } from './list-answer.ts';
import { readWindow } from './list-query.ts';
import type { WorkspaceUser } from './users.ts';
import type { Workspace } from './workspace.ts';

/** `GET /users` */
export function listUsers(workspace: Workspace, request: ApiRequest): Answer {
  const window = readWindow(request.query, workspace.switches);
  const rendered = workspace.users
    .slice(window.offset, window.offset + window.limit)
    .map((user) => JSON.stringify(userResource(user)));
  return listAnswer(workspace, request, window, rendered, workspace.users.length);
}

/** `GET /users/{id}`: system actors are no users. */
export function readUser(workspace: Workspace, request: ApiRequest): Answer {
  const user = workspace.users.find(({ id }) => id === request.param('id'));
  if (user === undefined) throw notFound('User');
  return { status: 200, text: JSON.stringify({ data: userResource(user) }), recordsRead: 1 };
}

function userResource({ id, firstName, lastName, email, role, createdMs }: WorkspaceUser) {
  const createdAt = new Date(createdMs).toISOString();
  return {
    type: 'user',
    id,
    attributes: {
      _id: id,
      name: { first_name: firstName, last_name: lastName },
      roles: { items: [role] },
      email,
      profile_picture: null,
      last_active_at: createdAt,
      _created_at: createdAt,
      _updated_at: createdAt,
    },
  };
}
