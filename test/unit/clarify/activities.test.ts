import { expect, test } from 'vitest';
import { page, person, pull, type Reply, withRemote } from './scripted-server.ts';

const request = { object: person, id: 'p1' };

function activity(at: string, actor: unknown, diff: unknown): object {
  const event = { type: 'clarify:update', actor, _created_at: at, object: { diff } };
  return { type: 'activity', id: at, attributes: { data: [event] } };
}

test('a history tells who wrote which field when, newest first', () =>
  withRemote(
    () => ({
      body: page([
        activity('2026-01-02T00:00:00Z', 'user_1', [
          { op: 'replace', path: '/job_title', val: 'Pilot', oldVal: 'Baker' },
          { op: 'replace', path: '/name/first_name', val: 'Ada', oldVal: null },
        ]),
        activity('2026-01-03T00:00:00Z', { id: 'agent' }, [
          { op: 'add', path: '/tags', val: { items: ['x'] } },
          { op: 'remove', path: '/seen_at', val: '2026-01-01 00:00:00+01:00' },
        ]),
      ]),
    }),
    async (remote, { seen }) => {
      const isBirth = false;
      const [second, first] = [Date.parse('2026-01-03'), Date.parse('2026-01-02')];
      expect(await remote.readFieldWrites(request, pull)).toEqual([
        { field: 'tags', within: [], value: ['x'], was: null, isBirth, atMs: second, by: 'agent' },
        {
          field: 'seen_at',
          within: [],
          value: '2025-12-31T23:00:00.000Z',
          was: null,
          isBirth,
          atMs: second,
          by: 'agent',
        },
        {
          field: 'job_title',
          within: [],
          value: 'Pilot',
          was: 'Baker',
          isBirth,
          atMs: first,
          by: 'user_1',
        },
        {
          field: 'name',
          within: ['first_name'],
          value: 'Ada',
          was: null,
          isBirth,
          atMs: first,
          by: 'user_1',
        },
      ]);
      expect(seen.map(({ path }) => path)).toEqual(['/objects/person/records/p1/activities']);
    },
  ));

test('what does not look as it should is left out', () =>
  withRemote(
    () => ({
      body: page([
        null,
        {},
        { attributes: { data: null } },
        { attributes: { data: [null, { actor: 1 }, { object: { diff: [] } }] } },
        activity('yesterday', 'user_1', [{ path: '/job_title', val: 'A' }]),
        activity('2026-01-02T00:00:00Z', 7, [
          null,
          {},
          { path: '/unknown', val: 1 },
          { path: '' },
          { path: 'job_title' },
        ]),
      ]),
    }),
    async (remote) => {
      const atMs = Date.parse('2026-01-02');
      expect(await remote.readFieldWrites(request, pull)).toEqual([
        { field: 'job_title', within: [], value: null, was: null, isBirth: false, atMs, by: null },
      ]);
    },
  ));

test.each<[string, Reply]>([
  ['500', { status: 500, body: { message: 'Internal server error' } }],
  ['404', { status: 404, body: '' }],
  ['HTML', { body: '<html>' }],
])('a feed that answers %s is asked once, and not again for a while', (_name, reply) =>
  withRemote(
    () => reply,
    async (remote, { seen }, clock) => {
      expect(await remote.readFieldWrites(request, pull)).toBeNull();
      expect(await remote.readFieldWrites(request, pull)).toBeNull();
      expect(seen).toHaveLength(1);
      await clock.sleep(601_000, pull.signal);
      await remote.readFieldWrites(request, pull);
      expect(seen).toHaveLength(2);
    },
  ),
);

test('where feed after feed fails, no further one is asked', () =>
  withRemote(
    () => ({ status: 500, body: '' }),
    async (remote, { seen }) => {
      for (let n = 0; n < 10; n += 1) {
        expect(await remote.readFieldWrites({ object: person, id: `p${n}` }, pull)).toBeNull();
      }
      expect(seen).toHaveLength(3);
    },
  ));

test('one that fails among others costs nothing but its own', () =>
  withRemote(
    ({ path }) => (path.includes('/bad/') ? { status: 500, body: '' } : { body: page([]) }),
    async (remote) => {
      for (let n = 0; n < 5; n += 1) {
        expect(await remote.readFieldWrites({ object: person, id: 'bad' }, pull)).toBeNull();
        expect(await remote.readFieldWrites({ object: person, id: `p${n}` }, pull)).toEqual([]);
      }
    },
  ));
