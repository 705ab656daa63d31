import type { Answer } from '../kernel/answer.ts';
import type { RequestPlace } from '../kernel/route.ts';
import type { PageWindow } from './list-query.ts';
import { joinBytes } from './page-bytes.ts';
import type { RecordParts, View } from './stored-record.ts';
import type { Workspace } from './workspace.ts';

export function viewOf(workspace: Workspace): View {
  const { updatedAtUntilEdit, omitNulls } = workspace.switches;
  return { dialect: workspace.dialect, updatedAtUntilEdit, omitNulls };
}

/** A list envelope around what is JSON already; `included` for answers of `/resources`. */
export function listAnswer(
  workspace: Workspace,
  place: RequestPlace,
  window: PageWindow,
  rendered: readonly (string | RecordParts)[],
  total: number,
  included?: readonly RecordParts[],
): Answer {
  const links = JSON.stringify(pageLinks(workspace, place, window, total));
  const meta = JSON.stringify(pageMeta(workspace, place, window, total));
  const end = `"links":${links},"meta":${meta}}`;
  const start = '{"data":[';
  const text =
    included === undefined
      ? joinBytes(start, rendered, `],${end}`)
      : included.length === 0
        ? joinBytes(start, rendered, `],"included":[],${end}`)
        : Buffer.concat([
            joinBytes(start, rendered, '],"included":['),
            joinBytes('', included, `],${end}`),
          ]);
  return { status: 200, text, recordsRead: rendered.length };
}

function pageLinks(
  workspace: Workspace,
  place: RequestPlace,
  { offset, limit }: PageWindow,
  total: number,
): Record<string, string | null> {
  const next = offset + limit < total ? pageLink(workspace, place, offset + limit) : null;
  const prev = offset > 0 ? pageLink(workspace, place, Math.max(0, offset - limit)) : null;
  if (workspace.dialect === 'current') return { next, prev };
  return { ...(next === null ? {} : { next }), ...(prev === null ? {} : { prev }) };
}

function pageLink(workspace: Workspace, place: RequestPlace, offset: number): string {
  const query = new URLSearchParams(place.query);
  query.set('page[offset]', String(offset));
  return linkTo(workspace, place, query);
}

export function linkTo(workspace: Workspace, place: RequestPlace, query: URLSearchParams): string {
  const host = workspace.switches.nextLinks === 'dead' ? place.hostname : place.host;
  return `http://${host}${place.pathname}?${query.toString()}`;
}

function pageMeta(
  { switches }: Workspace,
  { served }: RequestPlace,
  { offset, limit }: PageWindow,
  total: number,
): Record<string, number> {
  const { totalPages } = switches;
  const withPages = totalPages === 'always' || (totalPages === 'sometimes' && served % 2 === 0);
  const pages = withPages ? { total_pages: Math.ceil(total / limit) } : {};
  return { total_records: total, ...pages, offset, limit };
}
