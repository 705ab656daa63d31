import * as z from 'zod';
import type { Answer } from '../kernel/answer.ts';
import { type Fields, isObject } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, notFound } from './api-error.ts';
import { answer, NOTHING } from './contact-routes.ts';
import { inZone } from './instants.ts';
import { readBody } from './query.ts';
import type { Webhook, Workspace } from './workspace.ts';

const settingsSchema = z.object({
  url: z.string().min(1),
  type: z.enum(['marketing', 'transactional', 'inbound']).default('transactional'),
  events: z.array(z.string()).default([]),
  description: z.string().default(''),
  auth: z.object({ type: z.string(), token: z.string() }).optional(),
  headers: z.array(z.object({ key: z.string(), value: z.string() })).optional(),
  batched: z.boolean().default(false),
});

/** `POST /webhooks`: kept, and never delivered to. */
export function createWebhook(
  { webhooks, nextNumber, now }: Workspace,
  request: ApiRequest,
): Answer {
  const settings = asFields(readBody(settingsSchema, request.body));
  const id = nextNumber('webhooks');
  webhooks.set(id, { id, createdMs: now(), modifiedMs: now(), settings });
  return answer({ id }, { status: 201 });
}

/** `GET /webhooks` */
export function listWebhooks(workspace: Workspace, { query }: ApiRequest): Answer {
  const type = query.get('type') ?? 'transactional';
  const found = [...workspace.webhooks.values()].filter(
    ({ settings }) => settings['type'] === type,
  );
  const sorted = query.get('sort') === 'asc' ? found : found.toReversed();
  return answer({ webhooks: sorted.map((each) => renderWebhook(workspace, each)) });
}

/** `GET /webhooks/{id}` */
export function readWebhook(workspace: Workspace, request: ApiRequest): Answer {
  return answer(renderWebhook(workspace, namedWebhook(workspace, request)));
}

/** `PUT /webhooks/{id}` */
export function changeWebhook(workspace: Workspace, request: ApiRequest): Answer {
  const webhook = namedWebhook(workspace, request);
  const sent = isObject(request.body) ? Object.keys(request.body) : [];
  const read = asFields(readBody(settingsSchema.partial(), request.body));
  const given = Object.entries(read).filter(([name]) => sent.includes(name));
  webhook.settings = { ...webhook.settings, ...Object.fromEntries(given) };
  webhook.modifiedMs = workspace.now();
  return NOTHING;
}

/** `DELETE /webhooks/{id}` */
export function deleteWebhook(workspace: Workspace, request: ApiRequest): Answer {
  workspace.webhooks.delete(namedWebhook(workspace, request).id);
  return NOTHING;
}

function asFields(settings: object): Fields {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function renderWebhook({ switches }: Workspace, { id, createdMs, modifiedMs, settings }: Webhook) {
  const times = {
    createdAt: inZone(createdMs, switches),
    modifiedAt: inZone(modifiedMs, switches),
  };
  return { id, ...settings, ...times };
}

/** @throws ApiError 400, 404 */
function namedWebhook({ webhooks }: Workspace, { param }: ApiRequest): Webhook {
  if (!/^\d+$/.test(param('id'))) throw invalid('Invalid webhook id');
  const webhook = webhooks.get(Number(param('id')));
  if (webhook === undefined) throw notFound('Webhook record does not exist');
  return webhook;
}
