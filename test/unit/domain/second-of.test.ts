import { expect, test } from 'vitest';
import { objectSettings } from '../../../src/app/config/objects.ts';
import { secondOf } from '../../../src/domain/second-of.ts';

test('a hundred workspaces are spread over the minute', () => {
  const seconds = Array.from({ length: 100 }, (_, n) => secondOf(`w${n + 1}`));
  expect(seconds.filter((second) => second < 0 || second > 59)).toEqual([]);
  for (const second of seconds) {
    expect(seconds.filter((other) => other === second).length).toBeLessThan(8);
  }
  for (const quarter of [0, 15, 30, 45]) {
    const begun = seconds.filter((second) => second >= quarter && second < quarter + 15);
    expect(begun.length).toBeGreaterThan(10);
  }
});

test('what has no time of its own is pulled at the second of its workspace', () => {
  const deal = { pull: '*/30 * * * * *', fields: {}, history: false, delete: 'push' } as const;
  const config = { objects: { deal }, exclude: [], second: 43 };
  expect(objectSettings(config, 'person').pull).toBe('43 * * * * *');
  expect(objectSettings(config, 'deal').pull).toBe('*/30 * * * * *');
});
