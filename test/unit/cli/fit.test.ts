import { expect, test } from 'vitest';
import { prose, wrapped } from '../../../src/cli/fit.ts';

test.each([
  ['what fits is as it is', 'two  words', 10, ['two  words']],
  ['a line ends between words', 'one two three', 8, ['one two', '  three']],
  [
    'a word that is too long stays whole',
    'see postgres://127.0.0.1/x',
    8,
    ['see', '  postgres://127.0.0.1/x'],
  ],
  [
    'a command stays whole',
    'then run `sync deals` again',
    14,
    ['then run', '  `sync deals`', '  again'],
  ],
  [
    'unless it is longer than a line',
    'run `sync deals now`',
    10,
    ['run `sync', '  deals', '  now`'],
  ],
  ['a lone mark quotes nothing', 'five ` six seven', 10, ['five ` six', '  seven']],
  [
    'in a pipe no line is broken',
    'a word '.repeat(100),
    Number.POSITIVE_INFINITY,
    ['a word '.repeat(100)],
  ],
])('%s', (_what, text, width, lines) => {
  expect(prose([text], { width })).toEqual(lines);
});

test('colours take up no room', () => {
  const red = '\u001b[31mdeals: stopped\u001b[0m';
  expect(wrapped(`${red} since`, 20)).toEqual([`${red} since`]);
});
