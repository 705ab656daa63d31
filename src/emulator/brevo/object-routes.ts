import type { Json } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { ApiError } from '../kernel/api-error.ts';
import type { Fields } from '../kernel/fields.ts';
import { shuffled } from '../kernel/random.ts';
import type { ApiRequest, Handler } from '../kernel/route.ts';
import { type SortedList, sortedList } from '../kernel/sorted-list.ts';
import { invalid, notFound, refuse } from './api-error.ts';
import { answer } from './contact-routes.ts';
import type { Link } from './links.ts';
import { pageLimit, pageOf, sortDirection, wholeNumber } from './query.ts';
import { numberOf, renderRecord } from './records.ts';
import type { CustomObject, ObjectRecord, Workspace } from './workspace.ts';

/** What the standard objects are called, or mistaken to be. */
const STANDARD = ['contact', 'contacts', 'company', 'companies', 'deal', 'deals'];
const TYPE = /^[a-z0-9_]{1,32}$/;

/** What the plan does not have is refused, and refusals may have no body at all. */
export function ofObjects(handle: Handler<Workspace>): Handler<Workspace> {
  return (workspace, request) => {
    try {
      if (workspace.account.plan === 'starter') {
        throw refuse(403, 'permission_denied', 'Custom objects are not part of your plan');
      }
      return handle(workspace, request);
    } catch (error) {
      if (!(error instanceof ApiError) || workspace.switches.objectErrors === 'body') throw error;
      return { status: error.status, text: '', headers: error.headers };
    }
  };
}

/** @throws ApiError 403 for a standard type, 400 or 404 for one that does not exist */
export function customObject(workspace: Workspace, { param }: ApiRequest): CustomObject {
  const type = param('object');
  if (STANDARD.includes(type)) {
    throw refuse(403, 'permission_denied', 'Standard objects are not supported here');
  }
  const object = workspace.objects.get(type);
  if (TYPE.test(type) && object !== undefined) return object;
  throw unknownObject(workspace);
}

export function unknownObject({ switches }: Workspace): ApiError {
  const message = 'Object type does not exist';
  return switches.unknownObject === '400' ? invalid(message) : notFound(message);
}

/** `GET /objects/{object}/records` */
export function listRecords(workspace: Workspace, request: ApiRequest): Answer {
  const object = customObject(workspace, request);
  if (object.primary === null) throw refuse(424, null, 'primary attribute not found');
  const { query } = request;
  const { switches } = workspace;
  const limit = pageLimit(query, { max: switches.recordsPageMax }, switches);
  const place = {
    limit,
    offset: (wholeNumber(query, 'page_num', { min: 1 }) - 1) * limit,
    direction: sortDirection(query),
  };
  const association = query.get('association') ?? 'false';
  if (association !== 'true' && association !== 'false') {
    throw invalid('association is either true or false');
  }
  const { page, count } = pageOf(inOrder(workspace, object), null, place);
  const records = page.map((record) => ({
    ...renderRecord(workspace, object, record),
    ...(association === 'true' ? { associations: someOf(workspace, object, record) } : {}),
  }));
  return answer({ count, records }, { recordsRead: records.length });
}

function inOrder({ switches }: Workspace, { shelf }: CustomObject): SortedList<ObjectRecord> {
  const listed = shelf.listed();
  if (switches.recordSort === 'created') return listed;
  return sortedList(
    (a, b) => a.updatedMs - b.updatedMs || a.order - b.order,
    listed.slice(0, listed.size()),
  );
}

const SHOWN = 5;

/** Five of each type, by their ids alone. */
function someOf(workspace: Workspace, { type }: CustomObject, { id }: ObjectRecord): Fields[] {
  const { links, switches, random } = workspace;
  const byType = new Map<string, Link[]>();
  for (const link of links.shown({ type, id: String(id) })) {
    byType.set(link.type, [...(byType.get(link.type) ?? []), link]);
  }
  const chosen = (all: readonly Link[]): readonly Link[] => {
    if (switches.associationsShown === 'shuffled') return shuffled(random, all);
    return switches.associationsShown === 'oldest' ? all : all.toReversed();
  };
  return [...byType].map(([other, all]) => ({
    object_type: other,
    records: identified(workspace, chosen(all).slice(0, SHOWN)),
  }));
}

function identified(workspace: Workspace, links: readonly Link[]): Json[] {
  return links.map((link) => ({ identifiers: { id: numberOf(workspace, link) } }));
}
