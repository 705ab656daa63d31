import { expect, test } from 'vitest';
import { showCount, showPlural, showSeconds } from '../../../src/cli/quantity.ts';

test('shows counts and plurals', () => {
  expect(showCount(1_234_567n)).toBe('1,234,567');
  expect(showPlural(1, 'change')).toBe('1 change');
  expect(showPlural(2_000, 'change')).toBe('2,000 changes');
  expect(showPlural(0, 'company', 'companies')).toBe('0 companies');
});

test.each([
  [0.4, '0 s'],
  [119, '119 s'],
  [120, '2 min'],
  [7_199, '119 min'],
  [7_200, '2 h'],
  [172_800, '2 d'],
  [-3, '0 s'],
])('shows %d seconds as %s', (seconds, shown) => {
  expect(showSeconds(seconds)).toBe(shown);
});
