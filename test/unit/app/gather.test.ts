import { expect, test } from 'vitest';
import { gather } from '../../../src/app/daemon/gather.ts';

test('calls of one turn are one call, and those that come meanwhile are the next', async () => {
  const asked: (readonly string[])[] = [];
  const answers: (() => void)[] = [];
  const length = gather<string, number>(async (keys) => {
    asked.push(keys);
    await new Promise<void>((resolve) => answers.push(resolve));
    return (key) => key.length;
  });
  const first = Promise.all([length('a'), length('bb'), length('a')]);
  await expect.poll(() => asked).toEqual([['a', 'bb']]);
  const second = Promise.all([length('ccc'), length('a')]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toHaveLength(1);
  answers[0]?.();
  expect(await first).toEqual([1, 2, 1]);
  await expect
    .poll(() => asked)
    .toEqual([
      ['a', 'bb'],
      ['ccc', 'a'],
    ]);
  answers[1]?.();
  expect(await second).toEqual([3, 1]);
});

test('who fails, fails alone: the next call asks anew', async () => {
  let fails = true;
  const double = gather<number, number>(async () => {
    if (fails) throw new Error('away');
    return (key) => key * 2;
  });
  await expect(Promise.all([double(1), double(2)])).rejects.toThrow('away');
  fails = false;
  expect(await double(3)).toBe(6);
});
