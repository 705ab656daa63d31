import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerError } from '../../../../src/crm/clarify/answer-error.ts';
import { createDelete } from '../../../../src/crm/clarify/deletes.ts';
import { createBatchLimit } from '../../../../src/crm/wire/batch-limit.ts';
import type { Send } from '../../../../src/crm/wire/call.ts';
import {
  page,
  person,
  push,
  type Reply,
  resource,
  type Seen,
  withRemote,
} from './scripted-server.ts';

const notFound: Reply = { status: 404, body: { errors: [{ status: '404' }] } };
const done: Reply = { body: {} };

/** A server that holds some records; `bulk` says how it takes bulk deletions. */
function server(known: Set<string>, bulk: 'works' | 404 | 405, object = true) {
  return ({ method, path, body }: Seen): Reply => {
    if (!object) return notFound;
    if (method === 'GET') {
      const id = /resources\/(.+)$/.exec(path)?.[1];
      if (id === undefined) return { body: page([]) };
      return known.has(id) ? { body: { data: resource(id) } } : notFound;
    }
    if (path === '/objects/person/records') {
      if (bulk !== 'works') return bulk === 404 ? notFound : { status: bulk, body: {} };
      const { items } = body as { items: string[] };
      if (!items.every((id) => known.has(id))) return notFound;
      for (const id of items) known.delete(id);
      return done;
    }
    const id = path.split('/').at(-1) ?? '';
    return known.delete(id) ? { status: 204 } : notFound;
  };
}

test('records are deleted in one request, and one is looked for', () => {
  const known = new Set(['a', 'b', 'c']);
  return withRemote(server(known, 'works'), async (remote, { seen }) => {
    expect(await remote.delete({ object: person, ids: ['a', 'b'] }, push)).toEqual([]);
    expect([...known]).toEqual(['c']);
    expect(seen.map(({ method }) => method)).toEqual(['DELETE', 'GET']);
    expect(seen[0]?.query.get('silent')).toBe('true');
  });
});

test('whatever is gone already, the rest is deleted, in few requests', () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 100 }),
      fc.uniqueArray(fc.nat(99), { maxLength: 3 }),
      fc.constantFrom('works' as const, 404 as const, 405 as const),
      async (count, missing, bulk) => {
        const ids = Array.from({ length: count }, (_, at) => `r${at}`);
        const gone = missing.filter((at) => at < count);
        const known = new Set(ids.filter((_, at) => !gone.includes(at)));
        const answer = server(known, bulk);
        let deletions = 0;
        const send: Send = async (call) => {
          const body: unknown = call.body === undefined ? undefined : JSON.parse(call.body);
          const path = `/${call.path.join('/')}`;
          const query = new URLSearchParams();
          const reply = answer({ method: call.method, path, query, headers: {}, body });
          if (call.method === 'DELETE') deletions += 1;
          const { status = 200 } = reply;
          if (status >= 400) throw answerError({ status, text: '', retryAfterMs: null }, call, {});
          return call.read(reply.body, status);
        };
        const sizes = { title: 'Clarify', first: 100, most: 100, likelyCap: 25 };
        const batchLimit = createBatchLimit(sizes);
        const clock = { monotonicMs: () => 0 };
        const remove = createDelete({ send, batchLimitOf: () => batchLimit, clock });
        await remove({ object: person, ids }, push);
        expect(known.size).toBe(0);
        const halvings = Math.ceil(Math.log2(count)) + 1;
        expect(deletions).toBeLessThanOrEqual(
          bulk === 'works' ? 1 + (2 * halvings + 1) * gone.length : count + 3 * halvings + 3,
        );
      },
    ),
  ));

test.each([404, 405] as const)('a server without bulk deletion (%s) is remembered', (bulk) => {
  const known = new Set(['a', 'b', 'c', 'd']);
  return withRemote(server(known, bulk), async (remote, { seen }) => {
    await remote.delete({ object: person, ids: ['a', 'b'] }, push);
    const before = seen.length;
    await remote.delete({ object: person, ids: ['c', 'd'] }, push);
    expect(known.size).toBe(0);
    const deletions = seen.slice(before).filter(({ method }) => method === 'DELETE');
    expect(deletions.map(({ path }) => path)).toEqual([
      '/objects/person/records/c',
      '/objects/person/records/d',
    ]);
  });
});

test('a deletion repeated after a broken answer finds the records gone', () => {
  const known = new Set(['a', 'b']);
  const answer = server(known, 'works');
  return withRemote(
    (request, count) => {
      const reply = answer(request);
      return count === 1 ? { raw: (response) => response.destroy() } : reply;
    },
    async (remote) => {
      await remote.delete({ object: person, ids: ['a', 'b'] }, push);
      expect(known.size).toBe(0);
    },
  );
});

test('a 404 for everything is no deletion: the object itself is missing', () =>
  withRemote(server(new Set(), 'works', false), async (remote) => {
    await expect(remote.delete({ object: person, ids: ['a', 'b'] }, push)).rejects.toMatchObject({
      code: 'remote-not-found',
    });
  }));

test('a refusal names the record by its place in the whole request', () => {
  const known = new Set(['b', 'c', 'd']);
  const answer = server(known, 'works');
  return withRemote(
    (request) =>
      JSON.stringify(request.body ?? '').includes('"d"') &&
      !JSON.stringify(request.body).includes('"a"')
        ? {
            status: 422,
            body: { errors: [{ status: '422', source: { pointer: '/items/1' } }] },
          }
        : answer(request),
    async (remote) => {
      await expect(
        remote.delete({ object: person, ids: ['a', 'b', 'c', 'd'] }, push),
      ).rejects.toMatchObject({ code: 'remote-invalid', culprit: 3 });
    },
  );
});

const untrue: [string, Reply][] = [
  ['{}', done],
  ['nothing', { status: 204 }],
  ['202', { status: 202, body: {} }],
  ['207 and one of them', { status: 207, body: page([{ type: 'person', id: 'a' }]) }],
  ['an empty list', { body: page([]) }],
  ['an empty list that is no envelope', { body: [] }],
  ['null', { body: 'null' }],
  ['an object that tells of trouble', { body: { statusCode: 500, message: 'x' } }],
];

test.each(untrue)('what is still there is told, whatever the answer says: %s', (_name, reply) =>
  withRemote(
    (request) =>
      request.method === 'DELETE' ? reply : server(new Set(['a', 'b']), 'works')(request),
    async (remote) => {
      expect(await remote.delete({ object: person, ids: ['a', 'b'] }, push)).toEqual(['a', 'b']);
      expect(await remote.delete({ object: person, ids: ['b'] }, push)).toEqual(['b']);
    },
  ),
);

test.each(untrue)('and what is not, is not: %s', (_name, reply) => {
  const known = new Set(['a', 'b', 'c']);
  const answer = server(known, 'works');
  return withRemote(
    (request) => {
      const carriedOut = answer(request);
      return request.method === 'DELETE' ? reply : carriedOut;
    },
    async (remote) => {
      expect(await remote.delete({ object: person, ids: ['a', 'b'] }, push)).toEqual([]);
      expect([...known]).toEqual(['c']);
    },
  );
});

test('one that answers 404 to its deletion and stands is still there', () =>
  withRemote(
    (request) =>
      request.method === 'DELETE' ? notFound : server(new Set(['a']), 'works')(request),
    async (remote) => {
      expect(await remote.delete({ object: person, ids: ['a'] }, push)).toEqual(['a']);
    },
  ));

test('where nobody can be asked whether it is gone, it is sent again later', () =>
  withRemote(
    ({ method }) => (method === 'DELETE' ? done : { status: 503 }),
    async (remote) => {
      await expect(remote.delete({ object: person, ids: ['a'] }, push)).rejects.toMatchObject({
        disposition: 'retry',
        ambiguous: true,
      });
    },
  ));
