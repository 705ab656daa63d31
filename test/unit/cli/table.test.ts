import { expect, test } from 'vitest';
import { renderTable } from '../../../src/cli/table.ts';
import { type Paint } from '../../../src/cli/terminal.ts';

const plain: Paint = (_style, text) => text;

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
