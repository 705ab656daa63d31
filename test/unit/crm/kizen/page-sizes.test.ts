import { expect, test } from 'vitest';
import { createPageSizes, type PageSizes } from '../../../../src/crm/kizen/page-sizes.ts';

/** Reads a whole list as a server of numbered pages gives it, which cuts them to `most` records. */
async function readAll(sizes: PageSizes, total: number, most: number): Promise<boolean> {
  let offset = 0;
  for (let requests = 0; requests < 100; requests += 1) {
    let from = 0;
    const { answer, page } = await sizes.request({ offset, limit: sizes.size }, async (asked) => {
      const size = Math.min(asked.size, most);
      from = (asked.page - 1) * size;
      return { length: Math.max(0, Math.min(size, total - from)), more: from + size < total };
    });
    // It stands where it is taken to stand.
    if (answer.length > 0 && page.offset !== from) return false;
    offset = page.offset + answer.length;
    if (!answer.more) return offset === total;
  }
  return false;
}

test('a cap is known before a page is taken to stand elsewhere', async () => {
  expect(await readAll(createPageSizes(), 2_500, 60)).toBe(true);
});

test('a cap that is put on a server which took more is learned by the first page that might stand elsewhere', async () => {
  const sizes = createPageSizes();
  expect(await readAll(sizes, 2_500, 1_000)).toBe(true);
  for (const most of [500, 200, 60]) {
    expect(await readAll(sizes, 2_500, most)).toBe(true);
  }
});

test('pages that lack what the key may not see do not grow shorter again and again', async () => {
  const sizes = createPageSizes();
  for (let reading = 0; reading < 30; reading += 1) {
    for (const offset of [0, 985, 1_960]) {
      await sizes.request({ offset, limit: sizes.size }, async ({ size, page }) => ({
        length: size - 3 * page,
        more: page < 3,
      }));
    }
  }
  expect(sizes.size).toBeGreaterThan(970);
});
