import { describe, expect, test } from 'vitest';
import { RemoteError } from '../../../../src/domain/errors.ts';
import { person, pull, push, type Reply, resource, withRemote } from './scripted-server.ts';

/** An upsert, which is repeated after an attempt that may have been carried out. */
const upsert = {
  object: person,
  records: [{ email_addresses: ['ann@x.example'] }],
  matchOn: 'email_addresses',
};
const broken: Reply = { raw: (response) => response.destroy() };

describe('a write that may have arrived is not taken back by what keeps it from being repeated', () => {
  test('nobody leads any more', () =>
    withRemote(
      () => broken,
      async (remote, { seen }) => {
        let asked = 0;
        const beforeAttempt = () => {
          asked += 1;
          if (asked === 1) return;
          throw new RemoteError('not sent', {
            code: 'push-not-started',
            disposition: 'retry',
            status: null,
          });
        };
        const create = remote.create(upsert, { ...push, beforeAttempt });
        await expect(create).rejects.toMatchObject({ code: 'push-not-started', ambiguous: true });
        expect(seen).toHaveLength(1);
      },
    ));

  test('the endpoint lets nobody through for a while', () => {
    let first = true;
    return withRemote(
      () => {
        if (!first) return { status: 429, headers: { 'retry-after': '600' } };
        first = false;
        return broken;
      },
      async (remote) => {
        // Both wait for the same endpoint: the refusal of one keeps the other from being repeated.
        const both = await Promise.allSettled([
          remote.create(upsert, push),
          remote.create(upsert, push),
        ]);
        const reasons = both.map((one) => (one.status === 'rejected' ? one.reason : null));
        expect(reasons).toMatchObject([
          { code: 'remote-rate-limited', ambiguous: true },
          { code: 'remote-rate-limited', ambiguous: false },
        ]);
      },
    );
  });

  test('we are stopping', () => {
    const stopping = new AbortController();
    return withRemote(
      () => broken,
      async (remote) => {
        const create = remote.create(upsert, { ...push, signal: stopping.signal });
        await expect(create).rejects.toMatchObject({ code: 'remote-interrupted', ambiguous: true });
      },
      {
        clock: {
          nowMs: Date.now,
          monotonicMs: Date.now,
          random: () => 0.5,
          async sleep(_ms, signal) {
            stopping.abort(new Error('stopped'));
            await Promise.resolve();
            signal.throwIfAborted();
          },
        },
      },
    );
  });
});

test('no word of the server silences an endpoint for ever', () =>
  withRemote(
    (_request, count) =>
      count === 1
        ? { status: 429, headers: { 'retry-after': '99999999999' } }
        : { body: { data: resource('a') } },
    async (remote, _server, clock) => {
      const read = () => remote.readRecord({ object: person, id: 'a' }, pull);
      await expect(read()).rejects.toMatchObject({ code: 'remote-rate-limited' });
      await clock.sleep(3_600_001, pull.signal);
      expect(await read()).toMatchObject({ id: 'a' });
    },
  ));

test('a reset told in milliseconds of the epoch is understood', () =>
  withRemote(
    (_request, count) =>
      count === 1
        ? { status: 429, headers: { 'x-ratelimit-reset': String(Date.now() + 5_000) } }
        : { body: { data: resource('a') } },
    async (remote, _server, clock) => {
      await remote.readRecord({ object: person, id: 'a' }, pull);
      expect(Math.max(...clock.slept)).toBeLessThan(10_000);
    },
  ));
