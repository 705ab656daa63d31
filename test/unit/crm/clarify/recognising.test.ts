import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RemoteRecord } from '../../../../src/domain/record.ts';
import type { PageRequest, Recognition, Remote } from '../../../../src/domain/remote.ts';
import type { ObjectSchema } from '../../../../src/domain/schema.ts';
import { field, page, person, pull, resource, withRemote } from './scripted-server.ts';

/** Without a list whose form records would have to tell. */
const plain: ObjectSchema = {
  ...person,
  fields: person.fields.filter(({ kind }) => kind !== 'texts'),
};

function request(object: ObjectSchema, recognition: Recognition): PageRequest {
  return { object, orderBy: 'created', direction: 'asc', offset: 0, limit: 500, recognition };
}

/** Knows whatever came, as the mirror does of rows that were found equal. */
function memory() {
  const known = new Map<string, RemoteRecord>();
  return {
    known,
    note(records: readonly RemoteRecord[]) {
      for (const record of records) {
        if (record.trace === undefined) throw new Error('a record without a trace');
        known.set(record.trace.digest, { ...record, fields: {}, isUnchanged: true });
      }
    },
    recognition: (basis: string): Recognition => ({ basis, find: () => Promise.resolve(known) }),
  };
}

const outline = ({ id, createdAt, updatedAt, links }: RemoteRecord) => {
  return { id, createdAt, updatedAt, links };
};

interface Told {
  readonly id: string;
  readonly title: string | null;
  readonly link: string | null;
}

function resourceOf({ id, title, link }: Told, at: number) {
  const createdAt = `2026-01-01T00:00:0${at}.000Z`;
  const attributes = { job_title: title, _created_at: createdAt, _updated_at: createdAt };
  const deals = { data: link === null ? [] : [{ type: 'deal', id: link }], meta: { count: 9 } };
  return { ...resource(id, attributes), relationships: { deals } };
}

test('recognised is who came with the same bytes, of an object with the same fields, for the same columns, and nobody else', async () => {
  const told = fc.record({
    title: fc.constantFrom('Abbess', 'Baker', null),
    link: fc.constantFrom('d1', 'd2', null),
  });
  const reading = fc.record({
    people: fc.array(told, { minLength: 3, maxLength: 3 }),
    /** Another definition of a field, another column, another object to know of. */
    label: fc.constantFrom('Title', 'Role'),
    columns: fc.constantFrom('text', 'varchar'),
  });
  let answer: object = page([]);
  await withRemote(
    () => ({ body: answer }),
    async (remote) => {
      await fc.assert(
        fc.asyncProperty(fc.array(reading, { minLength: 2, maxLength: 5 }), async (readings) => {
          const { recognition, note } = memory();
          const noted = new Set<string>();
          for (const { people, label, columns } of readings) {
            const items = people.map((one, at) => resourceOf({ id: `p${at}`, ...one }, at));
            answer = page(items);
            const renamed = field('job_title', 'text', { label });
            const object = { ...plain, fields: [...plain.fields.slice(1), renamed] };
            const { records, total, more } = await remote.readPage(
              request(object, recognition(columns)),
              pull,
            );
            const whole = await remote.readPage(
              { ...request(object, recognition('')), recognition: undefined },
              pull,
            );
            expect({ total, more }).toEqual({ total: whole.total, more: whole.more });
            expect(records.map(outline)).toEqual(whole.records.map(outline));
            const keys = items.map((item) => JSON.stringify([item, label, columns]));
            const expected = keys.map((key, at) => {
              // The ends of a page are read to look between them, and may be known all the same.
              return noted.has(key) ? [`p${at}`] : [];
            });
            const recognised = records.flatMap(({ id, isUnchanged }) => (isUnchanged ? [id] : []));
            expect(recognised).toEqual(expected.flat());
            for (const { isUnchanged, fields, id } of records) {
              if (isUnchanged) continue;
              const same = whole.records.find((one) => one.id === id);
              expect(fields).toEqual(same?.fields);
            }
            note(records);
            for (const key of keys) noted.add(key);
          }
        }),
        { numRuns: 30 },
      );
    },
  );
});

test('of another object, or by another that has come up since, nothing is recognised', async () => {
  const { recognition, note } = memory();
  const of = (at: number) => resourceOf({ id: `p${at}`, title: 'Baker', link: null }, at);
  // The ends of a page are read whatever is known.
  const items = [of(0), { ...of(1), type: 'thing' }, of(2)];
  const schemas = (...slugs: string[]) => {
    return {
      data: slugs.map((slug) => ({
        type: 'schema',
        id: `https://getclarify.ai/schemas/entities/${slug}`,
        attributes: {
          type: 'object',
          title: slug,
          xClarifyNamespace: 'objects',
          properties: { name: { type: 'string' } },
        },
      })),
      links: { next: null, prev: null },
    };
  };
  let slugs = ['person'];
  const answer = ({ path }: { readonly path: string }) => {
    return path === '/schemas' ? { body: schemas(...slugs) } : { body: page(items) };
  };
  const read = async (remote: Remote, object: ObjectSchema) => {
    return (await remote.readPage(request(object, recognition('')), pull)).records;
  };
  await withRemote(answer, async (remote) => {
    note(await read(remote, plain));
    expect((await read(remote, plain)).every(({ isUnchanged }) => isUnchanged)).toBe(true);
    const others = await read(remote, { ...plain, object: 'other' });
    expect(others.some(({ isUnchanged }) => isUnchanged)).toBe(false);
    slugs = ['person', 'thing'];
    await remote.discover(pull);
    // What calls itself a thing is no person any more.
    await expect(read(remote, plain)).rejects.toThrow('another object');
  });
});

test('how lists travel is learned from a whole page before any record is passed over', async () => {
  const { recognition, note } = memory();
  const of = (at: number, tags: unknown) =>
    resource(`p${at}`, { tags, _created_at: `2026-01-01T00:00:0${at}.000Z` });
  // Neither the first nor the last of them tells.
  const items = [of(0, null), of(1, ['a']), of(2, null)];
  const answer = ({ method }: { readonly method: string }) =>
    method === 'GET' ? { body: page(items) } : { status: 201, body: page([]) };
  const readAll = async (remote: Remote) =>
    (await remote.readPage(request(person, recognition('')), pull)).records;
  await withRemote(answer, async (remote) => note(await readAll(remote)));
  await withRemote(answer, async (remote, { seen }) => {
    const first = await readAll(remote);
    expect(first.map(({ isUnchanged }) => isUnchanged)).toEqual([undefined, undefined, undefined]);
    const second = await readAll(remote);
    expect(second.map(({ isUnchanged }) => isUnchanged)).toEqual([true, true, true]);
    await remote.create({ object: person, records: [{ tags: ['b'] }] }, pull).catch(() => {});
    expect(seen.at(-1)?.body).toMatchObject({ data: [{ attributes: { tags: ['b'] } }] });
  });
});

test('an answer that is a bare list is read as it is, without a second request', async () => {
  const { recognition, note } = memory();
  const body = [resourceOf({ id: 'p1', title: 'Baker', link: null }, 1)];
  await withRemote(
    () => ({ body }),
    async (remote, { seen }) => {
      const { records } = await remote.readPage(request(plain, recognition('')), pull);
      expect(records).toMatchObject([{ id: 'p1', fields: { job_title: 'Baker' } }]);
      expect(seen).toHaveLength(1);
      expect(() => note(records)).toThrow('without a trace');
    },
  );
});
