import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  columnNames,
  fitName,
  isStorableText,
  quoteIdent,
  quoteLiteral,
  SYSTEM_COLUMN_NAMES,
} from '../../../src/domain/names.ts';

const plain = (...names: string[]) => names.map((name) => ({ name, parts: [] }));
const columnsOf = (names: ReadonlyMap<string, { readonly column: string }>) =>
  Object.fromEntries([...names].map(([name, { column }]) => [name, column]));

test('a name Postgres takes stays exactly as it is', () => {
  const names = [
    'Name',
    'name',
    'NAME',
    'select',
    'a"b',
    'x'.repeat(63),
    'é'.repeat(31),
    '__proto__',
  ];
  for (const [name, { column }] of columnNames(plain(...names))) expect(column).toBe(name);
});

test('a name that is too long is its first 54 bytes and its hash, characters whole', () => {
  const names = columnNames(plain('x'.repeat(64), '🙂'.repeat(16)));
  // printf 'x%.0s' {1..64} | sha256sum
  expect(names.get('x'.repeat(64))?.column).toBe(`${'x'.repeat(54)}_7ce10097`);
  expect(names.get('🙂'.repeat(16))?.column).toMatch(/^(🙂){13}_[0-9a-f]{8}$/u);
});

test("a name of ours or of Postgres' is hashed", () => {
  const names = columnNames(plain(...SYSTEM_COLUMN_NAMES, 'ctid', 'xmin', ''));
  for (const [name, { column }] of names)
    expect(column).toMatch(new RegExp(`^${name}_[0-9a-f]{8}$`));
});

test('a part keeps its plain name, and a field that wants it is hashed', () => {
  const names = columnNames([
    { name: 'name__full_name', parts: [] },
    { name: 'name', parts: [{ name: 'full_name' }, { name: 'x'.repeat(70) }] },
  ]);
  expect(names.get('name')?.column).toBe('name');
  expect(names.get('name')?.parts.get('full_name')).toBe('name__full_name');
  expect(names.get('name')?.parts.get('x'.repeat(70))).toMatch(/^name__x{48}_[0-9a-f]{8}$/);
  expect(names.get('name__full_name')?.column).toMatch(/^name__full_name_[0-9a-f]{8}$/);
});

test("a field called what another one's hash makes keeps its name", () => {
  const long = 'y'.repeat(80);
  const first = columnNames(plain(long)).get(long)?.column ?? '';
  const names = columnNames(plain(long, first));
  expect(names.get(first)?.column).toBe(first);
  expect(names.get(long)?.column).not.toBe(first);
});

test('names given earlier stay, and nobody gets a column that is somebody elses', () => {
  const given = new Map([
    ['stage', { column: 'stage_0badcafe', parts: new Map([['a', 'old_a']]) }],
  ]);
  const names = columnNames(
    [{ name: 'stage', parts: [{ name: 'a' }, { name: 'b' }] }, ...plain('mine', 'old_a')],
    { given, foreign: new Set(['mine']) },
  );
  expect(names.get('stage')?.column).toBe('stage_0badcafe');
  expect(names.get('stage')?.parts.get('a')).toBe('old_a');
  expect(names.get('stage')?.parts.get('b')).toBe('stage_0badcafe__b');
  expect(names.get('mine')?.column).toMatch(/^mine_/);
  expect(names.get('old_a')?.column).toMatch(/^old_a_/);
});

test('a name Postgres cannot hold gets no column', () => {
  expect(columnsOf(columnNames(plain('a\0b', 'c\ud800', 'fine')))).toEqual({ fine: 'fine' });
});

const fieldName = fc.oneof(
  fc.constantFrom(...SYSTEM_COLUMN_NAMES, 'a', 'a__b', 'b', 'A', 'z'.repeat(63), '__proto__'),
  fc.string({ unit: 'binary', maxLength: 90 }),
);
const fieldSet = fc.uniqueArray(
  fc.record({
    name: fieldName,
    parts: fc.uniqueArray(fc.record({ name: fieldName }), {
      selector: ({ name }) => name,
      maxLength: 3,
    }),
  }),
  { selector: ({ name }) => name, maxLength: 12 },
);

test('column names are distinct, fit, and do not depend on the order of the fields', () => {
  fc.assert(
    fc.property(fieldSet, fc.array(fieldName), (fields, others) => {
      const context = { given: new Map(), foreign: new Set(others) };
      const names = columnNames(fields, context);
      const all = [...names.values()].flatMap(({ column, parts }) => [column, ...parts.values()]);
      expect(new Set(all).size).toBe(all.length);
      const reserved: readonly string[] = [...SYSTEM_COLUMN_NAMES, ...others];
      for (const column of all) {
        expect(Buffer.byteLength(column)).toBeLessThanOrEqual(63);
        expect(isStorableText(column)).toBe(true);
        expect(reserved).not.toContain(column);
      }
      expect(columnNames(fields.toReversed(), context)).toEqual(names);
    }),
  );
});

test('names that were given are given again', () => {
  fc.assert(
    fc.property(fieldSet, fieldSet, (before, after) => {
      const given = columnNames(before);
      const names = columnNames(after, { given, foreign: new Set() });
      for (const { name } of after) {
        const earlier = given.get(name);
        if (earlier) expect(names.get(name)?.column).toBe(earlier.column);
      }
      const columns = [...names].map(([, { column }]) => column);
      expect(new Set(columns).size).toBe(columns.length);
    }),
  );
});

test('quoting leaves no way out', () => {
  expect(quoteIdent('a"b"; --')).toBe('"a""b""; --"');
  expect(quoteLiteral("it's")).toBe("'it''s'");
  expect(quoteLiteral("\\'")).toBe("E'\\\\'''");
  expect(fitName('x', () => false)).toBe('x');
});
