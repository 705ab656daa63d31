import * as z from 'zod';
import type { Json } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { misshapen, notFound, refuse } from './api-error.ts';
import { instantAt } from './instants.ts';
import { readShape } from './query-route.ts';
import { answer } from './record-routes.ts';
import { EVENT_TYPES, type Filter, type Subscription, type Webhook } from './webhooks.ts';
import type { Workspace } from './workspace.ts';

const test = z.object({
  field: z.string(),
  operator: z.enum(['equals', 'not_equals']),
  value: z.string(),
});
const filter = z.union([z.object({ $and: z.array(test) }), z.object({ $or: z.array(test) })]);
const subscription = z.object({
  event_type: z.enum([
    ...EVENT_TYPES,
    'list-entry.created',
    'list-entry.updated',
    'list-entry.deleted',
    'note.created',
    'task.created',
    'object-attribute.created',
    'object-attribute.updated',
    'workspace-member.created',
  ]),
  filter: filter.nullable(),
});
const subscriptions = z.array(subscription).min(1);
const created = z.object({ data: z.object({ target_url: z.url(), subscriptions }) });
const changed = z.object({
  data: z.object({ target_url: z.url().optional(), subscriptions: subscriptions.optional() }),
});

/** `GET /webhooks`: ten of them unless more are asked for. */
export function listWebhooks(workspace: Workspace, { query }: ApiRequest): Answer {
  const limit = Number(query.get('limit') ?? 10);
  const offset = Number(query.get('offset') ?? 0);
  if (!Number.isInteger(limit) || limit < 10 || limit > 100)
    throw misshapen([{ path: ['limit'], message: 'Number must be from 10 to 100' }]);
  const all = [...workspace.webhooks.all.values()].slice(offset, offset + limit);
  return answer(all.map((webhook) => render(workspace, webhook)));
}

export function readWebhook(workspace: Workspace, request: ApiRequest): Answer {
  return answer(render(workspace, webhookAt(workspace, request)));
}

/** `POST /webhooks`: its answer alone shows the secret. */
export function createWebhook(workspace: Workspace, request: ApiRequest): Answer {
  const { data } = readShape(created, request.body ?? {});
  const wanted = data.subscriptions.map(subscriptionFrom);
  refuseTarget(workspace, data.target_url);
  refuseEqual(workspace, null, data.target_url, wanted);
  const webhook = workspace.webhooks.add({
    targetUrl: data.target_url,
    subscriptions: wanted,
    createdMs: workspace.now(),
  });
  return answer({ ...render(workspace, webhook), secret: webhook.secret });
}

export function changeWebhook(workspace: Workspace, request: ApiRequest): Answer {
  const webhook = webhookAt(workspace, request);
  const { data } = readShape(changed, request.body ?? {});
  const target = data.target_url ?? webhook.targetUrl;
  const wanted = data.subscriptions?.map(subscriptionFrom) ?? webhook.subscriptions;
  refuseTarget(workspace, target);
  refuseEqual(workspace, webhook, target, wanted);
  webhook.targetUrl = target;
  webhook.subscriptions = wanted;
  return answer(render(workspace, webhook));
}

export function deleteWebhook(workspace: Workspace, request: ApiRequest): Answer {
  workspace.webhooks.all.delete(webhookAt(workspace, request).id);
  return { status: 200, text: '{}' };
}

/** @throws ApiError 404 */
function webhookAt({ webhooks }: Workspace, request: ApiRequest): Webhook {
  const found = webhooks.all.get(request.param('id'));
  if (found === undefined) throw notFound('Could not find webhook.');
  return found;
}

/** @throws ApiError 400 */
function refuseTarget({ switches }: Workspace, target: string): void {
  if (switches.webhookTargets === 'any' || target.startsWith('https://')) return;
  throw misshapen([{ path: ['data', 'target_url'], message: 'Must begin with https://' }]);
}

/** @throws ApiError 409 where another has the same target, event and filter */
function refuseEqual(
  { webhooks }: Workspace,
  own: Webhook | null,
  target: string,
  wanted: readonly Subscription[],
): void {
  const told = new Set(wanted.map((each) => JSON.stringify(each.told)));
  for (const other of webhooks.all.values()) {
    if (other === own || other.targetUrl !== target) continue;
    if (other.subscriptions.some((each) => told.has(JSON.stringify(each.told))))
      throw refuse(409, 'uniqueness_conflict', 'There is such a webhook already.');
  }
}

function subscriptionFrom(given: z.infer<typeof subscription>): Subscription {
  const { event_type: eventType } = given;
  const told: Json = { event_type: eventType, filter: given.filter };
  return { eventType, filter: filterFrom(given.filter), told };
}

function filterFrom(given: z.infer<typeof filter> | null): Filter {
  if (given === null) return null;
  const [mode, tests] =
    '$and' in given ? ['all' as const, given.$and] : ['any' as const, given.$or];
  return {
    mode,
    tests: tests.map(({ field, operator, value }) => ({
      field,
      equals: operator === 'equals',
      value,
    })),
  };
}

function render(workspace: Workspace, webhook: Webhook) {
  return {
    id: { workspace_id: workspace.id, webhook_id: webhook.id },
    target_url: webhook.targetUrl,
    subscriptions: webhook.subscriptions.map(({ told }) => told),
    status: webhook.status,
    created_at: instantAt(webhook.createdMs),
  };
}
