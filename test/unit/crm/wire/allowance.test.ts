import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAllowance } from '../../../../src/crm/wire/allowance.ts';
import {
  type AllowanceShare,
  createSharedAllowance,
  type SharedAllowance,
  type Ticket,
} from '../../../../src/crm/wire/shared-allowance.ts';
import type { Priority } from '../../../../src/domain/remote.ts';

interface ModelServer {
  /** One request arrives: the headers of its answer. */
  arrive(nowMs: number): {
    refused: boolean;
    limit: number;
    remaining: number;
    resetMs: number;
    retryAfterMs: number | null;
  };
}

/** A limit over a rolling window, or one that starts afresh every so often. */
function modelServer(kind: 'rolling' | 'fixed', limit: number, windowMs: number): ModelServer {
  let counted: number[] = [];
  return {
    arrive(nowMs) {
      const windowStartMs = nowMs - (nowMs % windowMs);
      counted = counted.filter((atMs) =>
        kind === 'rolling' ? atMs > nowMs - windowMs : atMs >= windowStartMs,
      );
      const refused = counted.length >= limit;
      if (!refused) counted.push(nowMs);
      const freeAtMs =
        kind === 'rolling' ? (counted[0] ?? nowMs) + windowMs : windowStartMs + windowMs;
      const resetMs = Math.ceil((freeAtMs - nowMs) / 1000) * 1000;
      return {
        refused,
        limit,
        remaining: limit - counted.length,
        resetMs,
        retryAfterMs: refused ? resetMs : null,
      };
    },
  };
}

interface Client {
  readonly allowance: AllowanceShare;
  /** The counter its requests go to. */
  readonly counter: number;
  readonly priority: Priority;
  sent: number;
  refused: number;
}

/**
 * Clients that always want to send, each up to `concurrency` at once, against one model server in
 * simulated time.
 */
function simulate(
  servers: ModelServer | readonly ModelServer[],
  clients: readonly Client[],
  { forMs, latencyMs, concurrency }: { forMs: number; latencyMs: number; concurrency: number },
): void {
  type Flight = {
    client: Client;
    ticket: Ticket;
    dueMs: number;
    answer: ReturnType<ModelServer['arrive']>;
  };
  let flights: Flight[] = [];
  let nowMs = 1_000_000;
  const endMs = nowMs + forMs;
  while (nowMs < endMs) {
    for (const flight of flights.filter(({ dueMs }) => dueMs <= nowMs)) {
      flight.client.allowance.answered(flight.ticket, flight.answer, {
        refused: flight.answer.refused,
        nowMs,
      });
    }
    flights = flights.filter(({ dueMs }) => dueMs > nowMs);
    let nextMs = nowMs + 1_000;
    for (const client of clients) {
      for (;;) {
        const busy = flights.filter((flight) => flight.client === client).length;
        const waitMs = client.allowance.waitMs(client.priority, nowMs);
        if (busy >= concurrency) break;
        if (waitMs > 0) {
          nextMs = Math.min(nextMs, nowMs + waitMs);
          break;
        }
        const ticket = client.allowance.start(client.priority, nowMs);
        const server = [servers].flat()[client.counter];
        if (server === undefined) throw new Error('no such counter');
        const answer = server.arrive(nowMs);
        client.sent += 1;
        if (answer.refused) client.refused += 1;
        flights.push({ client, ticket, answer, dueMs: nowMs + latencyMs });
      }
    }
    nextMs = Math.min(nextMs, ...flights.map(({ dueMs }) => dueMs));
    nowMs = Math.max(nowMs + 1, Math.ceil(nextMs));
  }
}

const client = (
  percent: number,
  priority: Priority = 'pull',
  {
    shared = createSharedAllowance(percent),
    counter = 0,
  }: { shared?: SharedAllowance; counter?: number } = {},
): Client => ({
  allowance: shared.join(() => {}),
  counter,
  priority,
  sent: 0,
  refused: 0,
});
const total = (clients: readonly Client[], key: 'sent' | 'refused') =>
  clients.reduce((sum, one) => sum + one[key], 0);

test('the allowance is used and not overrun, however the server counts', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('rolling' as const, 'fixed' as const),
      fc.integer({ min: 20, max: 200 }),
      fc.integer({ min: 40, max: 90 }),
      fc.integer({ min: 5, max: 900 }),
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom<Priority>('push', 'pull', 'backfill'),
      (kind, limit, percent, latencyMs, concurrency, priority) => {
        const one = client(percent, priority);
        const windows = 5;
        simulate(modelServer(kind, limit, 60_000), [one], {
          forMs: windows * 60_000,
          latencyMs,
          concurrency,
        });
        const ours = Math.max(1, Math.floor((limit * percent) / 100));
        const possible = Math.min(ours * windows, (windows * 60_000 * concurrency) / latencyMs);
        expect(one.refused / one.sent).toBeLessThan(1 / 20);
        expect(one.sent).toBeGreaterThanOrEqual(possible * (2 / 3));
        // A window at either end is cut.
        expect(one.sent).toBeLessThanOrEqual(ours * (windows + 1) * 1.1 + 5);
      },
    ),
    { numRuns: 60 },
  );
});

test('a window shorter than promised is used as well', () => {
  for (const kind of ['rolling', 'fixed'] as const) {
    const one = client(80);
    simulate(modelServer(kind, 50, 5_000), [one], { forMs: 60_000, latencyMs: 10, concurrency: 6 });
    expect(one.sent).toBeGreaterThanOrEqual(40 * 12 * (2 / 3));
    expect(one.refused / one.sent).toBeLessThan(1 / 20);
  }
});

test('two processes share one limit', () => {
  for (const kind of ['rolling', 'fixed'] as const) {
    const both = [client(80), client(80)];
    simulate(modelServer(kind, 60, 60_000), both, {
      forMs: 600_000,
      latencyMs: 50,
      concurrency: 4,
    });
    const sent = total(both, 'sent');
    const refused = total(both, 'refused');
    expect(sent).toBeGreaterThanOrEqual(48 * 10 * (2 / 3));
    expect(refused / sent).toBeLessThan(1 / 20);
  }
});

test('objects that share one limit share one allowance', () => {
  for (const kind of ['rolling', 'fixed'] as const) {
    const shared = createSharedAllowance(80);
    const objects = Array.from({ length: 6 }, () => client(80, 'pull', { shared }));
    simulate(modelServer(kind, 100, 60_000), objects, {
      forMs: 600_000,
      latencyMs: 80,
      concurrency: 4,
    });
    const sent = total(objects, 'sent');
    const refused = total(objects, 'refused');
    expect(sent).toBeGreaterThanOrEqual(80 * 10 * (2 / 3));
    // A window that starts afresh looks like a limit for each, so six allowances press on one.
    if (kind === 'rolling') expect(refused).toBe(0);
    expect(refused / sent).toBeLessThan(1 / 20);
    expect(sent).toBeLessThanOrEqual(80 * 11 * (kind === 'rolling' ? 1.05 : 1.25));
  }
});

test('objects that have a limit each use each of them', () => {
  const shared = createSharedAllowance(80);
  const objects = [0, 1, 2].map((counter) => client(80, 'pull', { shared, counter }));
  const servers = objects.map(() => modelServer('rolling', 100, 60_000));
  simulate(servers, objects, { forMs: 600_000, latencyMs: 80, concurrency: 4 });
  for (const one of objects) expect(one.sent).toBeGreaterThanOrEqual(80 * 10 * (2 / 3));
  expect(total(objects, 'refused') / total(objects, 'sent')).toBeLessThan(1 / 20);
});

test('one request at a time until the first answer, then no cap but the server’s', () => {
  const allowance = createAllowance(80);
  expect(allowance.waitMs('pull', 0)).toBe(0);
  const ticket = allowance.start('pull', 0);
  expect(allowance.waitMs('pull', 0)).toBe(Number.POSITIVE_INFINITY);
  const silent = { limit: null, remaining: null, resetMs: null, retryAfterMs: null };
  allowance.answered(ticket, silent, { refused: false, nowMs: 1 });
  for (let count = 0; count < 5_000; count += 1) {
    expect(allowance.waitMs('pull', 2)).toBe(0);
    allowance.start('pull', 2);
  }
});

test('backfill leaves a little to pull', () => {
  const allowance = createAllowance(100);
  const ticket = allowance.start('pull', 0);
  const rate = { limit: 100, remaining: 4, resetMs: 30_000, retryAfterMs: null };
  allowance.answered(ticket, rate, { refused: false, nowMs: 0 });
  expect(allowance.waitMs('backfill', 1)).toBeGreaterThan(0);
  expect(allowance.waitMs('pull', 1)).toBe(0);
});

test('Retry-After stops everyone for as long as it says', () => {
  const allowance = createAllowance(80);
  const ticket = allowance.start('push', 0);
  const rate = { limit: null, remaining: null, resetMs: null, retryAfterMs: 9_000 };
  allowance.answered(ticket, rate, { refused: true, nowMs: 0 });
  expect(allowance.waitMs('push', 4_000)).toBe(5_000);
  expect(allowance.waitMs('push', 9_000)).toBe(0);
});
