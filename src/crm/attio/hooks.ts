import * as z from 'zod';
import { RemoteError } from '../../domain/errors.ts';
import type { RemoteHook, RemoteHooks } from '../../domain/remote.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { isNotFound } from '../wire/refusals.ts';
import type { Catalog } from './attribute.ts';
import { readList, readOne } from './envelope.ts';

/** What one webhook is told of. Without a filter: objects come and go. */
const EVENTS = ['record.created', 'record.updated', 'record.deleted', 'record.merged'];
const SUBSCRIPTIONS = EVENTS.map((event_type) => ({ event_type, filter: null }));

const PAGE = 100;
const MOST_PAGES = 50;

/** The webhooks of the workspace. */
export function createHooks({ send, catalog }: { send: Send; catalog: Catalog }): RemoteHooks {
  return {
    get objects() {
      return catalog.slugs;
    },

    async list(options) {
      const hooks = new Map<string, RemoteHook>();
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const found = await send(
          {
            endpoint: 'GET /webhooks',
            method: 'GET',
            path: ['webhooks'],
            query: [
              ['limit', String(PAGE)],
              ['offset', String(page * PAGE)],
            ],
            repeatable: true,
            read: (body) => readList(body).map(readHook),
          },
          options,
        );
        const before = hooks.size;
        for (const hook of found) hooks.set(hook.id, hook);
        if (found.length < PAGE || hooks.size === before) return [...hooks.values()];
      }
      throw new RemoteError(`GET /webhooks: no end after ${MOST_PAGES} pages`, {
        code: 'remote-bad-answer',
        disposition: 'retry',
        status: 200,
      });
    },

    async create({ url }, options) {
      return await send(
        {
          endpoint: 'POST /webhooks',
          method: 'POST',
          path: ['webhooks'],
          body: JSON.stringify({ data: { target_url: url, subscriptions: SUBSCRIPTIONS } }),
          // Whose answer got lost never shows its secret again: it is found, and made anew.
          repeatable: false,
          read: (body) => readMade(readOne(body)),
        },
        options,
      );
    },

    async delete({ id }, options) {
      try {
        await send(
          {
            endpoint: 'DELETE /webhooks/{id}',
            method: 'DELETE',
            path: ['webhooks', id],
            repeatable: true,
            read: () => undefined,
          },
          options,
        );
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  };
}

const tests = z.array(z.unknown()).max(0);
/** One without any test lets through what none lets through. */
const unfiltered = z.union([z.object({ $and: tests }), z.object({ $or: tests })]).nullish();
const subscription = z.looseObject({ event_type: z.string(), filter: z.unknown() });
const hook = z.looseObject({
  id: z.looseObject({ webhook_id: z.string().min(1) }),
  target_url: z.string(),
  status: z.enum(['active', 'degraded', 'inactive']).catch('active'),
  subscriptions: z.array(subscription).catch([]),
});
const made = z.looseObject({
  id: z.looseObject({ webhook_id: z.string().min(1) }),
  secret: z.string().min(1),
});

function readHook(item: unknown): RemoteHook {
  const parsed = hook.safeParse(item);
  if (!parsed.success) throw new BadAnswer('a webhook of the list cannot be read');
  const { id, target_url: url, status: state, subscriptions } = parsed.data;
  const told = new Set(
    subscriptions.flatMap(({ event_type, filter }) =>
      unfiltered.safeParse(filter).success ? [event_type] : [],
    ),
  );
  return { id: id.webhook_id, url, state, isWhole: EVENTS.every((event) => told.has(event)) };
}

function readMade(item: unknown): { readonly id: string; readonly secret: string } {
  const parsed = made.safeParse(item);
  if (!parsed.success) throw new BadAnswer('it does not show the secret of the webhook');
  return { id: parsed.data.id.webhook_id, secret: parsed.data.secret };
}
