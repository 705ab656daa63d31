import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { toInstant } from '../../../../src/crm/wire/instants.ts';
import {
  field,
  page,
  person,
  pull,
  push,
  type Reply,
  resource,
  type Seen,
  withRemote,
} from './scripted-server.ts';

const MEGABYTE = Buffer.alloc(1024 * 1024, ' ');

/** Goes on until the client hangs up, or for 50 megabytes. */
function endless(response: ServerResponse, told: { megabytes: number }): void {
  const write = (): void => {
    while (told.megabytes < 50) {
      told.megabytes += 1;
      if (!response.write(MEGABYTE)) {
        response.once('drain', write);
        return;
      }
    }
    response.end();
  };
  response.writeHead(200);
  write();
}

/** Less than an endless answer, and more than the buffers of a connection hold. */
const limited = { mostAnswerBytes: 2 * 1024 * 1024 };
const walk = { object: person, orderBy: 'updated', direction: 'asc', offset: 0 } as const;

test('an answer without end is given up before it fills the memory, and asked for in less', () => {
  const told = { megabytes: 0 };
  return withRemote(
    ({ query }): Reply =>
      query.get('page[limit]') === '500'
        ? { raw: (response) => endless(response, told) }
        : { body: page([resource('a')]) },
    async (remote, { seen }) => {
      const read = await remote.readPage({ ...walk, limit: 500 }, pull);
      expect(read.records.map(({ id }) => id)).toEqual(['a']);
      expect(told.megabytes).toBeLessThan(50);
      expect(seen.map(({ query }) => query.get('page[limit]'))).toEqual(['500', '100']);
      // It was these records, and not how many there were.
      expect(remote.limits.pageSize).toBe(500);
    },
    limited,
  );
});

test('an endless answer to a write leaves open what became of it', () => {
  const told = { megabytes: 0 };
  return withRemote(
    () => ({ raw: (response) => endless(response, told) }),
    async (remote, { seen }) => {
      const create = remote.create({ object: person, records: [{ job_title: 'x' }] }, push);
      await expect(create).rejects.toMatchObject({
        code: 'remote-answer-too-large',
        ambiguous: true,
      });
      expect(seen).toHaveLength(1);
      expect(told.megabytes).toBeLessThan(50);
    },
    limited,
  );
});

test('what is small on the wire and large when unpacked counts as large', () => {
  const bomb = gzipSync(Buffer.alloc(5 * 1024 * 1024, ' '), { level: 1 });
  return withRemote(
    () => ({
      raw(response) {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(bomb);
      },
    }),
    async (remote) => {
      const read = remote.readRecord({ object: person, id: 'a' }, pull);
      await expect(read).rejects.toMatchObject({ code: 'remote-answer-too-large' });
    },
    limited,
  );
});

test('an answer nested without measure is a bad answer, and no defect of ours', () => {
  const deep = `${'{"a":'.repeat(100_000)}1234567890123456789.12${'}'.repeat(100_000)}`;
  return withRemote(
    () => ({ body: deep }),
    async (remote) => {
      const read = remote.readRecord({ object: person, id: 'a' }, pull);
      await expect(read).rejects.toMatchObject({ code: 'remote-bad-answer' });
    },
  );
});

test('links that cannot be read are unknown, and not none', () =>
  withRemote(
    () => ({
      body: page([
        {
          ...resource('a'),
          relationships: {
            deals: { data: 'all' },
            tasks: { data: [{ id: 5 }, { id: 't1' }] },
            people: { data: null },
            notes: { data: [], meta: { count: 0 } },
          },
        },
      ]),
    }),
    async (remote) => {
      const { records } = await remote.readPage({ ...walk, limit: 500 }, pull);
      expect(records[0]?.links).toEqual({
        people: { ids: [], total: 0 },
        notes: { ids: [], total: 0 },
      });
    },
  ));

test('a day that no calendar has is no instant', () => {
  expect(toInstant('2026-02-30T00:00:00.000Z')).toBeNull();
  expect(toInstant('2026-02-28T00:00:00.000Z')).toBe('2026-02-28T00:00:00.000Z');
  expect(toInstant('2024-02-29T00:00:00.000Z')).toBe('2024-02-29T00:00:00.000Z');
});

test('match_on that is refused for one object is sent for the others', () => {
  const refuse = ({ path, body }: Seen): boolean =>
    path.includes('c_site') && JSON.stringify(body).includes('match_on');
  const site = { ...person, object: 'c_site', fields: [field('code', 'text', { unique: true })] };
  return withRemote(
    (request): Reply =>
      refuse(request)
        ? { status: 422, body: { errors: [{ source: { pointer: '/match_on' } }] } }
        : { status: 201, body: page([resource('a')]) },
    async (remote, { seen }) => {
      const sites = { object: site, records: [{ code: 'x' }], matchOn: 'code' };
      const people = {
        object: person,
        records: [{ email_addresses: ['a@b.example'] }],
        matchOn: 'email_addresses',
      };
      await remote.create(sites, push);
      await remote.create(people, push);
      await remote.create(sites, push);
      expect(seen.map(({ body }) => JSON.stringify(body).includes('match_on'))).toEqual([
        true,
        false,
        true,
        false,
      ]);
    },
  );
});
