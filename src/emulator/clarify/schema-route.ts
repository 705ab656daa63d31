import type { Answer } from '../kernel/answer.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { refuse } from './api-error.ts';
import { linkTo } from './list-answer.ts';
import { schemaItems } from './schema-document.ts';
import type { Workspace } from './workspace.ts';

/** `GET /schemas`: pages by cursor without `meta`, or one array in the older form. */
export function listSchemas(workspace: Workspace, request: ApiRequest): Answer {
  const definitions = [...workspace.objects.values()].map((state) => state.definition);
  const all = schemaItems(definitions, workspace.switches);
  const { schemaForm, schemaPageSize } = workspace.switches;
  if (schemaForm === 'array') return { status: 200, text: JSON.stringify(all) };
  if (schemaForm === 'bare') {
    return { status: 200, text: JSON.stringify(all.map((item) => item.attributes)) };
  }
  const start = readCursor(request.query);
  const end = start + schemaPageSize;
  const links = {
    next: end < all.length ? cursorLink(workspace, request, end) : null,
    prev: start > 0 ? cursorLink(workspace, request, Math.max(0, start - schemaPageSize)) : null,
  };
  return { status: 200, text: JSON.stringify({ data: all.slice(start, end), links }) };
}

function cursorLink(workspace: Workspace, request: ApiRequest, position: number): string {
  const query = new URLSearchParams(request.query);
  query.set('page[cursor]', Buffer.from(`schema ${position}`).toString('base64url'));
  return linkTo(workspace, request, query);
}

/** @throws ApiError 400 for a cursor that is none of ours */
function readCursor(query: URLSearchParams): number {
  const cursor = query.get('page[cursor]');
  if (cursor === null) return 0;
  const text = Buffer.from(cursor, 'base64url').toString();
  const position = /^schema (\d+)$/.exec(text)?.[1];
  if (position === undefined) throw refuse(400, 'Unknown cursor');
  return Number(position);
}
