import { createHmac, randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../domain/json.ts';
import type { Random } from '../kernel/random.ts';
import type { Actor } from './attribute.ts';
import type { Switches } from './switches.ts';

export const EVENT_TYPES = [
  'record.created',
  'record.updated',
  'record.deleted',
  'record.merged',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface WebhookEvent {
  readonly event_type: EventType;
  readonly id: Readonly<Record<string, string>>;
  readonly duplicate_object_id?: string;
  readonly duplicate_record_id?: string;
  readonly actor: Actor;
}

/** Which records a subscription is for; null for all. */
export type Filter = {
  readonly mode: 'all' | 'any';
  readonly tests: readonly {
    readonly field: string;
    readonly equals: boolean;
    readonly value: string;
  }[];
} | null;

export interface Subscription {
  readonly eventType: string;
  readonly filter: Filter;
  /** As it came. */
  readonly told: Json;
}

export interface Webhook {
  readonly id: string;
  readonly secret: string;
  readonly createdMs: number;
  targetUrl: string;
  subscriptions: readonly Subscription[];
  status: 'active' | 'degraded' | 'inactive';
}

export interface Webhooks {
  /** In the order in which they were made. */
  readonly all: Map<string, Webhook>;
  add(webhook: Pick<Webhook, 'targetUrl' | 'subscriptions' | 'createdMs'>): Webhook;
  /** Sends it to whoever subscribed; nobody waits for that. */
  emit(event: WebhookEvent): void;
  /** Gives up what is on its way. */
  stop(): void;
}

const TRIES = 10;
const PER_SECOND = 25;

export interface WebhookDeps {
  readonly switches: Pick<Switches, 'webhookRetryMs' | 'webhookDelayMs' | 'webhookCopies'>;
  readonly random: Random;
  readonly newId: () => string;
  readonly send?: typeof fetch;
}

/**
 * Webhooks and their deliveries: one event each, signed, at most 25 a second to one target, tried
 * ten times with growing waits before the webhook counts as degraded.
 */
export function createWebhooks({ switches, random, newId, send = fetch }: WebhookDeps): Webhooks {
  const all = new Map<string, Webhook>();
  const stopping = new AbortController();
  const { signal } = stopping;
  // As many deliveries wait as there are events.
  setMaxListeners(0, signal);
  /** When the next delivery to a target may begin. */
  const nextMs = new Map<string, number>();

  async function turn(target: string): Promise<void> {
    const now = performance.now();
    const mine = Math.max(now, nextMs.get(target) ?? 0);
    nextMs.set(target, mine + 1_000 / PER_SECOND);
    if (mine > now) await sleep(mine - now, undefined, { signal });
  }

  async function deliver(webhook: Webhook, event: WebhookEvent, key: string): Promise<void> {
    const body = JSON.stringify({ webhook_id: webhook.id, events: [event] });
    const signature = createHmac('sha256', webhook.secret).update(body).digest('hex');
    const headers = {
      'Content-Type': 'application/json',
      'Attio-Signature': signature,
      'X-Attio-Signature': signature,
      'Idempotency-Key': key,
    };
    const delayMs = random.next() * switches.webhookDelayMs;
    if (delayMs > 0) await sleep(delayMs, undefined, { signal });
    for (let attempt = 0; attempt < TRIES && all.has(webhook.id); attempt += 1) {
      if (attempt > 0) {
        await sleep(switches.webhookRetryMs * 2 ** (attempt - 1), undefined, { signal });
      }
      await turn(webhook.targetUrl);
      const status = await send(webhook.targetUrl, { method: 'POST', headers, body, signal }).then(
        async (answer) => {
          await answer.body?.cancel();
          return answer.status;
        },
        () => null,
      );
      if (status === 200 || status === 202) {
        webhook.status = 'active';
        return;
      }
    }
    webhook.status = 'degraded';
  }

  return {
    all,
    add(given) {
      const webhook: Webhook = {
        ...given,
        id: newId(),
        secret: randomBytes(32).toString('hex'),
        status: 'active',
      };
      all.set(webhook.id, webhook);
      return webhook;
    },
    emit(event) {
      for (const webhook of all.values()) {
        if (webhook.status === 'inactive') continue;
        if (!webhook.subscriptions.some((each) => wants(each, event))) continue;
        const key = newId();
        for (let copy = 0; copy < switches.webhookCopies; copy += 1) {
          deliver(webhook, event, key).catch((error: unknown) => {
            if (!signal.aborted) throw error;
          });
        }
      }
    },
    stop: () => stopping.abort(),
  };
}

function wants({ eventType, filter }: Subscription, { event_type, id }: WebhookEvent): boolean {
  if (eventType !== event_type) return false;
  if (filter === null) return true;
  const passes = filter.tests.map(
    ({ field, equals, value }) => (id[field.replace(/^id\./, '')] === value) === equals,
  );
  return filter.mode === 'all' ? passes.every(Boolean) : passes.some(Boolean);
}
