import { expect, test } from 'vitest';
import { judgeRate } from '../../../src/app/doctor/remote.ts';

const endpoint = 'GET /schemas';

test.each([
  [2_998, 'ok'],
  [600, 'ok'],
  [599, 'warn'],
  [0, 'warn'],
] as const)('%d of 3000 left: %s', (remaining, state) => {
  const check = judgeRate([{ endpoint, limit: 3_000, remaining }], 80, 'Acme');
  expect(check.state).toBe(state);
  expect(check.detail).toBe(
    `${remaining} of 3000 requests left for GET /schemas, we use up to 80%`,
  );
});

test('a server that tells no limit', () => {
  expect(judgeRate([{ endpoint, limit: null, remaining: null }], 80, 'Acme')).toMatchObject({
    state: 'warn',
    detail: 'Acme tells no limit',
  });
  expect(judgeRate([], 80, 'Acme').state).toBe('warn');
});
