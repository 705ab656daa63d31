import * as z from 'zod';
import { type Json, stringifyJson } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { retryAfterText } from '../kernel/fault-answer.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { misshapen, refuse } from './api-error.ts';
import { readFilter } from './filter.ts';
import { parseInstant } from './instants.ts';
import { born } from './records.ts';
import { renderRecord } from './render.ts';
import { queryScore } from './score.ts';
import { inOrder, readSorts } from './sort.ts';
import { type ObjectState, objectState, type StoredRecord, type Workspace } from './workspace.ts';

const LIMIT = 500;
/** Answers are true for a moment ago at best: they come from a copy. */
const LAG_MS = 760;

const json: z.ZodType<Json> = z.json();
const bodySchema = z.looseObject({
  filter: json.nullish(),
  sorts: json.nullish(),
  limit: z.int().min(1).default(LIMIT),
  offset: z.int().min(0).default(0),
});

/** `POST /objects/{object}/records/query` */
export function queryRecords(workspace: Workspace, request: ApiRequest): Answer {
  const { switches, scores } = workspace;
  const state = objectState(workspace, request.param('object'));
  const body = readShape(bodySchema, request.body ?? {});
  const limit = pageSize(workspace, body.limit);
  const test = readFilter(workspace, state, body.filter ?? {});
  const sorts = readSorts(workspace, state, body.sorts ?? []);
  if (switches.scoreBudget > 0 && scores.used() >= switches.scoreBudget) {
    const seconds = Math.max(1, Math.ceil(scores.leavesInMs() / 1_000));
    throw refuse(429, 'rate_limit_exceeded', 'Rate limit exceeded, please try again later', {
      'Retry-After': retryAfterText(seconds, 'date', workspace.now()),
    });
  }
  const all = inOrder(workspace, state, sorts, JSON.stringify(body.sorts ?? []));
  const page = pageOf(all, {
    test,
    start: firstSince(state, all, body),
    offset: body.offset,
    limit,
  });
  const lagMs = Math.max(LAG_MS, switches.visibilityDelayMs);
  const score = queryScore(page.length, sorts.length);
  scores.add(score);
  return {
    status: 200,
    text: stringifyJson({ data: page.map((record) => renderRecord(workspace, state, record)) }),
    headers: {
      'x-attio-record-query-score': String(score),
      'x-accurate-at': new Date(workspace.now() - lagMs).toISOString(),
    },
    recordsRead: page.length,
  };
}

function pageOf(
  all: readonly StoredRecord[],
  {
    test,
    start,
    offset,
    limit,
  }: {
    readonly test: (record: StoredRecord) => boolean;
    readonly start: number;
    readonly offset: number;
    readonly limit: number;
  },
): StoredRecord[] {
  const page: StoredRecord[] = [];
  let skipped = 0;
  for (let index = start; index < all.length && page.length < limit; index += 1) {
    const record = all[index];
    if (record === undefined || !test(record)) continue;
    if (skipped < offset) skipped += 1;
    else page.push(record);
  }
  return page;
}

const bySinceSchema = z.looseObject({
  filter: z.looseObject({ created_at: z.looseObject({ $gte: z.string() }) }),
  sorts: z.tuple(
    [z.looseObject({ attribute: z.literal('created_at'), direction: z.literal('asc') })],
    z.unknown(),
  ),
});

/** Where a list by creation begins to hold what was created since then: all before needs no look. */
function firstSince(state: ObjectState, all: readonly StoredRecord[], body: unknown): number {
  const asked = bySinceSchema.safeParse(body);
  const from = asked.success ? parseInstant(asked.data.filter.created_at.$gte) : null;
  if (from === null) return 0;
  // A filter may compare whole seconds.
  const second = from.slice(0, 19);
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const record = all[middle];
    if (record !== undefined && born(state, record) < second) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @throws ApiError 400 */
function pageSize({ switches }: Workspace, limit: number): number {
  if (limit <= LIMIT || switches.limitOver === 'honour') return limit;
  if (switches.limitOver === 'cut') return LIMIT;
  throw misshapen([{ path: ['limit'], message: `Number must be less than or equal to ${LIMIT}` }]);
}

/** @throws ApiError 400 with what is wrong, and where */
export function readShape<T>(schema: z.ZodType<T>, body: unknown): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  throw misshapen(
    read.error.issues.map(({ path, message }) => ({
      path: path.map((part) => (typeof part === 'number' ? part : String(part))),
      message,
    })),
  );
}
