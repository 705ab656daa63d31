import type { PageWindow } from './list-query.ts';
import { type LinkField, linksToMany } from './object-definition.ts';
import { joinBytes } from './page-bytes.ts';
import {
  fieldOf,
  type RecordParts,
  recordFields,
  recordParts,
  renderRecord,
  type StoredRecord,
  type View,
} from './stored-record.ts';
import { linkedIds, type Workspace } from './workspace.ts';

/** What a route answers. `recordsRead` counts for the statistics. */
export interface Answer {
  readonly status: number;
  /** JSON text, or its bytes; empty for none. */
  readonly text: string | Buffer;
  readonly recordsRead?: number;
  readonly recordsWritten?: number;
}

/** What the envelope of a list needs to know of the request. */
export interface RequestPlace {
  /** Host name without port: `current` names port 80 in its links, where nobody answers. */
  readonly hostname: string;
  /** The host and port the request came to. */
  readonly host: string;
  readonly pathname: string;
  readonly query: URLSearchParams;
  /** How many answers were given before this one. */
  readonly served: number;
}

export function viewOf(workspace: Workspace): View {
  const { updatedAtUntilEdit, omitNulls } = workspace.switches;
  return { dialect: workspace.dialect, updatedAtUntilEdit, omitNulls };
}

/** One record with the linkage that `include` asked for, as JSON. */
export function renderWithLinks(
  workspace: Workspace,
  object: string,
  record: StoredRecord,
  include: readonly LinkField[],
): string {
  const members = linkages(workspace, object, record, include);
  return renderRecord(object, record, viewOf(workspace), { members });
}

/** The same, for a list. */
export function partsWithLinks(
  workspace: Workspace,
  object: string,
  record: StoredRecord,
  include: readonly LinkField[],
): RecordParts {
  const members = linkages(workspace, object, record, include);
  return recordParts(object, record, viewOf(workspace), { members });
}

function linkages(
  workspace: Workspace,
  object: string,
  record: StoredRecord,
  include: readonly LinkField[],
): string {
  if (include.length === 0) return '';
  const parts = include.map(
    (field) => `${JSON.stringify(field.name)}:${linkage(workspace, object, record, field)}`,
  );
  return `,"relationships":{${parts.join(',')}}`;
}

function linkage(
  workspace: Workspace,
  object: string,
  record: StoredRecord,
  field: LinkField,
): string {
  const { entity } = field.form;
  const one = (id: string): string => `{"type":"${entity}","id":${JSON.stringify(id)}}`;
  if (!linksToMany(field.form)) {
    const target = fieldOf(recordFields(record), field.name);
    return `{"data":${typeof target === 'string' ? one(target) : 'null'}}`;
  }
  const ids = linkedIds(workspace, object, field, record.id);
  const listed: string[] = [];
  for (const id of ids) {
    if (listed.length === workspace.switches.linkageCap) break;
    listed.push(one(id));
  }
  return `{"data":[${listed.join(',')}],"meta":{"count":${ids.size}}}`;
}

/** A list envelope around what is JSON already. */
export function listAnswer(
  workspace: Workspace,
  place: RequestPlace,
  window: PageWindow,
  rendered: readonly (string | RecordParts)[],
  total: number,
): Answer {
  const links = JSON.stringify(pageLinks(workspace, place, window, total));
  const meta = JSON.stringify(pageMeta(workspace, place, window, total));
  const text = joinBytes('{"data":[', rendered, `],"links":${links},"meta":${meta}}`);
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
  const host = workspace.dialect === 'current' ? place.hostname : place.host;
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
