import { expect, test } from 'vitest';
import { parseFieldValue } from '../../../src/app/decisions/field-value.ts';
import { mirrorTable } from '../../../src/db/mirror/table.ts';
import { stringifyJson } from '../../../src/domain/json.ts';
import type { FieldKind } from '../../../src/domain/schema.ts';
import { field, objectSchema } from '../../support/fields.ts';

function parse(kind: FieldKind, text: string) {
  const [column] = mirrorTable(objectSchema('deal', [field('it', kind)])).columns;
  if (column === undefined) throw new Error('no column');
  return parseFieldValue(column, text);
}

test.each<[FieldKind, string, unknown]>([
  ['text', 'Won', 'Won'],
  ['text', '', ''],
  ['text', '"local"', 'local'],
  ['text', '"null"', 'null'],
  ['text', '"half', '"half'],
  ['text', 'null', null],
  ['reference', 'com_1', 'com_1'],
  ['number', '-12.5', -12.5],
  ['number', '007', 7],
  ['boolean', 'false', false],
  ['date', '2026-02-28', '2026-02-28'],
  ['timestamp', '2026-02-28T10:00:00+01:00', '2026-02-28T09:00:00.000Z'],
  ['timestamp', '2026-02-28', '2026-02-28T00:00:00.000Z'],
  ['texts', '["a","b"]', ['a', 'b']],
  ['texts', 'null', null],
  ['json', '{"first_name":"Ada"}', { first_name: 'Ada' }],
  ['json', '"text"', 'text'],
])('%s takes %s', (kind, text, value) => {
  expect(parse(kind, text)).toEqual(value);
});

test('a number keeps its digits', () => {
  expect(stringifyJson(parse('number', '999999999999.9999'))).toBe('999999999999.9999');
});

test.each<[FieldKind, string]>([
  ['number', 'many'],
  ['number', '1e3'],
  ['number', '1234567890123'],
  ['number', '0.00001'],
  ['boolean', 'yes'],
  ['date', '2026-02-30'],
  ['timestamp', '2026-02-28T10:00:00'],
  ['texts', 'a'],
  ['texts', '[1]'],
  ['json', '{first_name}'],
  ['text', 'nul\0'],
])('%s refuses %j, and says what it takes', (kind, text) => {
  expect(() => parse(kind, text)).toThrow(/^it takes /);
});
