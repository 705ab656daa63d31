import { expect, test } from 'vitest';
import { ExactNumber } from '../../../../src/domain/json.ts';
import type { Reply, Seen } from '../clarify/scripted-server.ts';
import {
  fieldId,
  id,
  optionId,
  record,
  rows,
  schemaReply,
  sentFields,
  stages,
  update,
  withKizen,
} from './scripted-kizen.ts';

const wrong = (entries: readonly object[]): Reply => ({
  status: 400,
  body: { non_field_errors: [], fields: entries },
});

/** Answers a PATCH with no more than what was written, as it was sent. */
function echo(object: string): (seen: Seen) => Reply {
  return (seen) => {
    const fields = seen.path.endsWith('/move') ? {} : sentFields(object, seen);
    const shown = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
    return { body: record(object, 'r-1', shown) };
  };
}

test('an update is a PATCH of ids, in the forms that fields travel in', async () => {
  await withKizen(echo('deal'), async (talk) => {
    const told = await update(talk, 'deal', {
      name: 'One',
      plan: 'Pro',
      likes: 'Maybe',
      colors: ['Blue', 'Red'],
      choice: ['Two'],
      score: 5,
      hot: false,
      closes: '2026-05-01',
      owner: 'e-1',
      parent: 'd-2',
      note: null,
    });
    expect(talk.seen).toHaveLength(1);
    expect(talk.seen[0]).toMatchObject({ method: 'PATCH', path: '/api/records/deal/r-1' });
    expect(sentFields('deal', talk.seen[0] ?? {})).toEqual({
      name: 'One',
      plan: { id: optionId('plan', 'Pro') },
      likes: { id: optionId('likes', 'Maybe') },
      colors: [{ id: optionId('colors', 'Blue') }, { id: optionId('colors', 'Red') }],
      choice: { id: optionId('choice', 'Two') },
      score: 5,
      hot: false,
      closes: '2026-05-01',
      owner: 'e-1',
      parent: { id: 'd-2' },
      // It takes no null.
      note: '',
    });
    // What was not written and is not told is not known; what was written and is blank is null.
    expect(told?.fields).toMatchObject({ plan: 'Pro', colors: ['Blue', 'Red'], note: null });
    expect(told?.fields).not.toHaveProperty('twin');
  });
});

test('numbers are sent digit for digit', async () => {
  const bodies: unknown[] = [];
  await withKizen(
    (seen) => {
      bodies.push(seen.body);
      return { body: record('company', 'r-1') };
    },
    async (talk) => {
      await update(talk, 'company', { ratio: new ExactNumber('0.10'), revenue: 12.5 });
      expect(sentFields('company', talk.seen[0] ?? {})).toEqual({ ratio: 0.1, revenue: 12.5 });
    },
  );
});

test('a stage is moved to, after the fields', async () => {
  await withKizen(echo('deal'), async (talk) => {
    await update(talk, 'deal', { stage: 'Won', hot: true });
    expect(talk.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PATCH /api/records/deal/r-1',
      'PATCH /api/records/deal/r-1/move',
    ]);
    expect(talk.seen[1]?.body).toEqual({ stage_id: stages[2]?.id });
    await update(talk, 'deal', { stage: 'New' });
    expect(talk.seen).toHaveLength(3);
  });
});

test.each([
  ['an option there is not', { plan: 'Gold' }, 'plan', /no option of that label/],
  ['an ambiguous label', { twin: 'Same' }, 'twin', /several options/],
  ['a stage there is not', { stage: 'Nowhere' }, 'stage', /no option of that label/],
  ['a computed field', { display_name: 'x' }, 'display_name', /read-only/],
])('%s parks the change before anything is sent', async (_what, fields, field, message) => {
  await withKizen(echo('deal'), async (talk) => {
    await expect(update(talk, 'deal', { hot: true, ...fields })).rejects.toMatchObject({
      code: 'remote-invalid',
      disposition: 'park',
      field,
      message: expect.stringMatching(message),
    });
    expect(talk.seen.filter(({ method }) => method === 'PATCH')).toEqual([]);
  });
});

test('an option added since the fields were read is found by reading them again', async () => {
  let isAdded = false;
  await withKizen(
    echo('deal'),
    async (talk) => {
      isAdded = true;
      await update(talk, 'deal', { plan: 'Gold' });
      expect(sentFields('deal', talk.seen.at(-1) ?? {})).toEqual({ plan: { id: 'gold' } });
    },
    {
      describe: (request) => {
        const reply = schemaReply(request);
        if (!isAdded || !request.path.endsWith(`${id('deal')}/fields`)) return reply;
        const fields = reply?.body as { name: string; options: object[] }[];
        const gold = { id: 'gold', code: '', name: 'Gold' };
        return {
          body: fields.map((one) => (one.name === 'plan' ? { ...one, options: [gold] } : one)),
        };
      },
    },
  );
});

test('a refusal is read by position, and names the field it is about', async () => {
  await withKizen(
    () => wrong([{}, { value: [{ message: 'Enter a whole number.', code: 'invalid' }] }, {}]),
    async (talk) => {
      const error = await update(talk, 'company', { name: 'x', size: 3, ratio: 1 }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: 'remote-invalid', disposition: 'park', field: 'size' });
      expect(error).toMatchObject({ reason: 'size: Enter a whole number.' });
      expect(String(error)).not.toContain('whole number');
    },
  );
});

test('an error keeps the id of its request', async () => {
  await withKizen(
    () => ({ ...wrong([{ value: ['No.'] }]), headers: { 'x-request-id': 'req-77' } }),
    async (talk) => {
      await expect(update(talk, 'company', { name: 'x' })).rejects.toMatchObject({
        message: expect.stringContaining('request req-77') as unknown,
        reason: 'name: No. (400, request req-77)',
      });
    },
  );
});

test('a record is named in the form that works, which is remembered', async () => {
  await withKizen(
    (seen) =>
      typeof sentFields('deal', seen)['parent'] === 'object'
        ? wrong([{}, { value: ['Invalid pk.'] }])
        : { body: record('deal', 'r-1') },
    async (talk) => {
      await update(talk, 'deal', { hot: true, parent: 'd-2' });
      await update(talk, 'deal', { hot: true, parent: 'd-3' });
      expect(talk.seen.map((seen) => sentFields('deal', seen)['parent'])).toEqual([
        { id: 'd-2' },
        'd-2',
        'd-3',
      ]);
    },
  );
});

test('writes that find out at the same time both arrive', async () => {
  let refused = 0;
  await withKizen(
    async (seen) => {
      if (typeof sentFields('deal', seen)['parent'] !== 'object') {
        return { body: record('deal', 'r-1') };
      }
      refused += 1;
      // The second is refused after the first has come through.
      if (refused === 2) await new Promise((resolve) => setTimeout(resolve, 300));
      return wrong([{ value: ['Invalid pk.'] }]);
    },
    async (talk) => {
      await Promise.all([
        update(talk, 'deal', { parent: 'd-2' }),
        update(talk, 'deal', { parent: 'd-3' }),
      ]);
      expect(refused).toBe(2);
    },
  );
});

test('a record that is refused in both forms is refused, and the first form stays the first', async () => {
  await withKizen(
    () => wrong([{ value: [{ message: 'Nobody.', code: 'does_not_exist' }] }]),
    async (talk) => {
      for (const parent of ['d-2', 'd-3']) {
        await expect(update(talk, 'deal', { parent })).rejects.toMatchObject({ field: 'parent' });
      }
      expect(talk.seen.map((seen) => sentFields('deal', seen)['parent'])).toEqual([
        { id: 'd-2' },
        'd-2',
        { id: 'd-3' },
        'd-3',
      ]);
    },
  );
});

test('a field is cleared by its flags, then the other way once, and what works is remembered', async () => {
  await withKizen(
    (seen) =>
      sentFields('company', seen)['name'] === null
        ? wrong([{ value: ['This field may not be null.'] }])
        : { body: record('company', 'r-1') },
    async (talk) => {
      await update(talk, 'company', { name: null });
      await update(talk, 'company', { name: null });
      expect(talk.seen.map((seen) => sentFields('company', seen)['name'])).toEqual([null, '', '']);
    },
  );
});

test('tags are sent by their ids, and new ones by their names', async () => {
  await withKizen(
    (seen) =>
      seen.path.endsWith('/tags')
        ? rows([
            { id: 't-2', name: 'vip2' },
            { id: 't-1', name: 'vip' },
          ])
        : { body: record('client_client', 'r-1') },
    async (talk) => {
      await update(talk, 'client_client', { tags: ['vip', 'brand new'] });
      const [first, , patch] = talk.seen;
      expect(first?.path).toBe(`/api/client/fields/${fieldId('client_client', 'tags')}/tags`);
      expect(first?.query.get('search')).toBe('vip');
      expect(sentFields('client_client', patch ?? {})).toEqual({
        tags: [{ id: 't-1' }, { name: 'brand new' }],
      });
    },
  );
});
