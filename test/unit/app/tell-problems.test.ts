import { expect, test } from 'vitest';
import { tellProblems } from '../../../src/app/tell-problems.ts';
import { problemOf, undescribedObject } from '../../../src/db/mirror/problem.ts';
import { RemoteError, SyncError } from '../../../src/domain/errors.ts';

function tell(before: Parameters<typeof tellProblems>[1], now: typeof before) {
  const lines: [level: string, fields: object, message: string][] = [];
  const log = {
    info: (fields: object, message: string) => lines.push(['info', fields, message]),
    warn: (fields: object, message: string) => lines.push(['warn', fields, message]),
  };
  tellProblems(log as unknown as Parameters<typeof tellProblems>[0], before, now);
  return lines;
}

const refusal = new RemoteError('GET /objects/deals/attributes: refused (403)', {
  code: 'remote-forbidden',
  disposition: 'park',
  status: 403,
});
const stopped = undescribedObject('deals', refusal, false);
const goesOn = undescribedObject('deals', refusal, true);
const none = { problems: [] };

test('what stops is said not to be mirrored, with what to do, and no more than that', () => {
  expect(tell(none, { problems: [stopped] })).toEqual([
    [
      'warn',
      {
        object: 'deals',
        code: 'remote-forbidden',
        hint: expect.stringContaining('`exclude: [deals]`') as string,
      },
      'object not mirrored: deals: its fields are not told: GET /objects/deals/attributes: refused (403)',
    ],
  ]);
  expect(tell({ problems: [stopped] }, none)).toMatchObject([
    ['info', {}, 'object mirrored again'],
  ]);
});

test('what goes on is said to go on', () => {
  const held = problemOf(
    'deals',
    new SyncError('deals: held', { code: 'schema-lock-timeout', disposition: 'retry' }),
  );
  for (const problem of [goesOn, held]) {
    const [[level, , message] = []] = tell(none, { problems: [problem] });
    expect([level, message]).toEqual([
      'warn',
      expect.stringMatching(/^object mirrored as it was before: deals: /),
    ]);
  }
  expect(tell({ problems: [held] }, none)).toMatchObject([
    ['info', {}, 'object follows its schema again'],
  ]);
});

test('each is told once, and again when it stops what went on', () => {
  expect(tell({ problems: [stopped] }, { problems: [stopped] })).toEqual([]);
  expect(tell({ problems: [goesOn] }, { problems: [stopped] })).toHaveLength(1);
});
