import { expect, test } from 'vitest';
import { renderTable } from '../../../src/cli/table.ts';
import type { Screen } from '../../../src/cli/terminal.ts';

const plain = screen(Number.POSITIVE_INFINITY);

function screen(width: number): Screen {
  return { paint: (_style, text) => text, width };
}

test('aligns columns and pads no line at its end', () => {
  const columns = [
    { title: 'object' },
    { title: 'rows', align: 'right' },
    { title: 'why' },
  ] as const;
  expect(
    renderTable(
      columns,
      [
        ['person', '12,000', ''],
        ['c_x', '7', 'late'],
      ],
      plain,
    ),
  ).toEqual(['object    rows  why', 'person  12,000', 'c_x          7  late']);
});

test('colours take up no room', () => {
  const columns = [{ title: 'state' }, { title: 'n' }];
  const lines = renderTable(columns, [['\u001b[32mok\u001b[0m', '1']], plain);
  expect(lines[1]).toBe('\u001b[32mok\u001b[0m     1');
});

const outbox = [
  { title: 'id', align: 'right' },
  { title: 'record', least: 8 },
  { title: 'tries', align: 'right', spare: 1 },
  { title: 'by', spare: 2 },
  { title: 'why' },
] as const;
const waiting = [['7', 'local:d3919f74-f154', '12', 'ada', 'refused']];

test.each([
  [
    45,
    ['id  record               tries  by   why', ' 7  local:d3919f74-f154     12  ada  refused'],
  ],
  [40, ['id  record               by   why', ' 7  local:d3919f74-f154  ada  refused']],
  [30, ['id  record             why', ' 7  local:d3919f74-f…  refused']],
  [5, ['id  record    why', ' 7  local:d…  refused']],
])('on a screen of %i it leaves out what is spare, then cuts', (width, lines) => {
  expect(renderTable(outbox, waiting, screen(width))).toEqual(lines);
});

test.each([
  ['0', ['object  rows', 'deal       7']],
  ['\u001b[2m0\u001b[0m', ['object  rows', 'deal       7']],
  ['2', ['object  rows  parked', 'deal       7       2']],
])('where a screen is too narrow a column of %j alone is left out', (parked, lines) => {
  const columns = [
    { title: 'object' },
    { title: 'rows', align: 'right' },
    { title: 'parked', align: 'right', spareZero: 1 },
  ] as const;
  expect(renderTable(columns, [['deal', '7', parked]], screen(15))).toEqual(lines);
  expect(renderTable(columns, [['deal', '7', parked]], plain)[0]).toContain('parked');
});

test('a column that wraps goes on below itself', () => {
  const columns = [{ title: '' }, { title: 'found', wraps: true }];
  const rows = [
    ['ok', 'every one of the rights it takes'],
    ['fail', 'none'],
  ];
  expect(renderTable(columns, rows, screen(26))).toEqual([
    '      found',
    'ok    every one of the',
    '      rights it takes',
    'fail  none',
  ]);
});

test('what is cut has no colour left', () => {
  const columns = [{ title: 'state', least: 4 }];
  const lines = renderTable(columns, [['\u001b[33mparked\u001b[0m']], screen(4));
  expect(lines).toEqual(['sta…', 'par…']);
});
