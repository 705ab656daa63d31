import type { Answer } from '../kernel/answer.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { notFound, refuse } from './api-error.ts';
import { numberTest } from './filter.ts';
import { includedRecords, partsWithLinks, renderWithLinks } from './linkage.ts';
import { listAnswer, viewOf } from './list-answer.ts';
import { filterParameters, readInclude, readListQuery, readWindow } from './list-query.ts';
import type { Deletion } from './object-state.ts';
import { joinBytes } from './page-bytes.ts';
import { selectPage } from './selection.ts';
import { renderRecord, type StoredRecord } from './stored-record.ts';
import { objectState, storedRecord, type Workspace } from './workspace.ts';

const FEED_HORIZON_MS = 30 * 86_400_000;

/** `GET /objects/{object}/resources` */
export function listRecords(workspace: Workspace, request: ApiRequest): Answer {
  return answerRecords(workspace, request, []);
}

/** A list of the object's records, of those that pass some tests beside the filters asked for. */
export function answerRecords(
  workspace: Workspace,
  request: ApiRequest,
  tests: readonly ((record: StoredRecord) => boolean)[],
): Answer {
  const object = request.param('object');
  const state = objectState(workspace, object);
  const { random, switches } = workspace;
  state.listing.settle(workspace.now());
  const query = readListQuery(state, request.query, switches);
  const filters = { ...query.filters, tests: [...query.filters.tests, ...tests] };
  const ties = { tieOrder: switches.tieOrder, random, served: state.listsServed };
  state.listsServed += 1;
  const { records, total } = selectPage(state, { ...query, filters }, ties);
  const rendered = records.map((each) => partsWithLinks(workspace, object, each, query.include));
  const included = includedRecords(workspace, object, records, query.include);
  return listAnswer(workspace, request, query, rendered, total, included);
}

/**
 * `GET /objects/{object}/resources/{id}`, which always has `included`, and `…/records/{id}`: the
 * newest version, always.
 */
export function readRecord(kind: 'resource' | 'record') {
  return (workspace: Workspace, request: ApiRequest): Answer => {
    const object = request.param('object');
    const state = objectState(workspace, object);
    const record = storedRecord(state, request.param('id'));
    const include = readInclude(state, request.query);
    const data = renderWithLinks(workspace, object, record, include);
    const withIncluded = kind === 'resource' || include.length > 0;
    const included = includedRecords(workspace, object, [record], include);
    const text = withIncluded
      ? joinBytes(`{"data":${data},"included":[`, included, ']}')
      : `{"data":${data}}`;
    return { status: 200, text, recordsRead: 1 };
  };
}

/** `GET /objects/{object}/deleted-resources` */
export function listDeleted(workspace: Workspace, request: ApiRequest): Answer {
  if (workspace.switches.deletedFeed === 'missing') throw notFound('Route');
  const object = request.param('object');
  const state = objectState(workspace, object);
  for (const name of request.query.keys()) {
    if (name === 'include' || name.startsWith('sortOrder')) {
      throw refuse(400, `${name} is not supported here`);
    }
  }
  const window = readWindow(request.query, workspace.switches);
  const nowMs = workspace.now();
  const tests = filterParameters(request.query).map(deletedAtTest);
  const matching = state.deletions.filter(
    (deletion) =>
      deletion.deletedMs > nowMs - FEED_HORIZON_MS &&
      deletion.showAtMs <= nowMs &&
      (!deletion.merged || workspace.switches.mergedInDeletedFeed) &&
      tests.every((test) => test(deletedAtSeconds(deletion))),
  );
  const rendered = matching.slice(window.offset, window.offset + window.limit).map((deletion) =>
    renderRecord(object, deletion.record, viewOf(workspace), {
      attributes: `,"_deleted_at":${deletedAtSeconds(deletion)}`,
    }),
  );
  return listAnswer(workspace, request, window, rendered, matching.length);
}

function deletedAtSeconds({ deletedMs }: Deletion): number {
  return Math.floor(deletedMs / 1000);
}

function deletedAtTest(parameter: {
  readonly field: string;
  readonly operator: string | null;
  readonly value: string;
}): (seconds: number) => boolean {
  const { field, operator, value } = parameter;
  if (field !== '_deleted_at') throw refuse(400, `Cannot filter by ${field}`);
  const short = /^(>=|<=|>|<|!=)?(.*)$/s.exec(value);
  if (operator === null) {
    return numberTest(SHORT_OPERATORS[short?.[1] ?? ''] ?? 'Is', short?.[2] ?? '');
  }
  if (!Object.values(SHORT_OPERATORS).includes(operator) || operator.startsWith('Is')) {
    throw refuse(400, `Unknown operator ${JSON.stringify(operator)}`);
  }
  return numberTest(operator, value);
}

const SHORT_OPERATORS: Readonly<Record<string, string>> = {
  '>=': 'Greater than or equal',
  '<=': 'Less than or equal',
  '>': 'Greater than',
  '<': 'Less than',
  '!=': 'Is not',
  '': 'Is',
};
