import { expect, test } from 'vitest';
import { pull, push } from '../clarify/scripted-server.ts';
import { record, schemaReply as schema, withKizen } from './scripted-kizen.ts';

const DATE = 'Tue, 23 May 2023 14:42:00 GMT';

test.each([
  ['seconds', { 'retry-after': '3' }, 2_900, 4_000],
  // By the server’s clock, although by ours that was years ago.
  ['a date', { date: DATE, 'retry-after': 'Tue, 23 May 2023 14:42:03 GMT' }, 2_900, 4_000],
  ['nothing', {}, 200, 2_000],
] as const)('a refusal that says %s is waited out', async (_form, headers, least, most) => {
  let refusals = 1;
  await withKizen(
    () => {
      refusals -= 1;
      return refusals >= 0 ? { status: 429, headers, body: '' } : { body: record('deal', 'd-1') };
    },
    async ({ remote, of, clock, seen }) => {
      clock.slept.length = 0;
      expect(await remote.readRecord({ object: of('deal'), id: 'd-1' }, pull)).not.toBeNull();
      const waitedMs = clock.slept.reduce((sum, ms) => sum + ms, 0);
      expect(waitedMs).toBeGreaterThan(least);
      expect(waitedMs).toBeLessThan(most);
      expect(seen).toHaveLength(2);
    },
  );
});

test('no more than four requests are under way, and no second sees more than ten', async () => {
  let underWay = 0;
  let most = 0;
  const atMs: number[] = [];
  let now = () => 0;
  await withKizen(
    async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      atMs.push(now());
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay -= 1;
      return { body: record('deal', 'd-1') };
    },
    async ({ remote, of, clock }) => {
      now = () => clock.monotonicMs();
      await Promise.all(
        Array.from({ length: 40 }, async (_, n) => {
          const object = of(n % 2 === 0 ? 'deal' : 'company');
          if (n % 3 === 0) await remote.readRecord({ object, id: `r-${n}` }, pull);
          else
            await remote.update(
              { object, records: [{ id: `r-${n}`, fields: { name: 'x' } }] },
              push,
            );
        }),
      );
      expect(atMs).toHaveLength(40);
      expect(most).toBe(4);
      const busiest = Math.max(
        ...atMs.map((from) => atMs.filter((at) => at >= from && at < from + 1_000).length),
      );
      expect(busiest).toBeLessThanOrEqual(10);
    },
  );
});

test('a key that is refused ends everything, once it is confirmed; one refused write harms itself', async () => {
  await withKizen(
    () => ({ status: 401, body: { code: 'missing_business_context' } }),
    async ({ remote, of, seen }) => {
      await expect(
        remote.readRecord({ object: of('deal'), id: 'd-1' }, pull),
      ).rejects.toMatchObject({ code: 'remote-unauthorized', disposition: 'halt' });
      expect(seen.some(({ path }) => path === '/api/business/mine')).toBe(true);
    },
    {
      describe: (() => {
        let isRevoked = false;
        return (request) => {
          if (request.path.includes('/records/')) isRevoked = true;
          return isRevoked ? null : schema(request);
        };
      })(),
    },
  );
  await withKizen(
    () => ({
      status: 403,
      body: { fields: [{ value: [{ message: 'No.', code: 'forbidden_field_write' }] }] },
    }),
    async ({ remote, of }) => {
      const records = [{ id: 'd-1', fields: { hot: true } }];
      await expect(remote.update({ object: of('deal'), records }, push)).rejects.toMatchObject({
        code: 'remote-forbidden',
        disposition: 'park',
        field: 'hot',
      });
    },
  );
});
