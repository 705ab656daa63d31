import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeRecord, encodeValue } from '../../../src/db/mirror/encode.ts';
import {
  decodeExtra,
  encodeExtra,
  extraKey,
  fieldOfExtraKey,
} from '../../../src/db/mirror/extra.ts';
import { jsonbText } from '../../../src/db/mirror/storable.ts';
import { mirrorTable, SYSTEM_COLUMNS } from '../../../src/db/mirror/table.ts';
import { ExactNumber, type Json, parseJson, stringifyJson } from '../../../src/domain/json.ts';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import type { FieldKind } from '../../../src/domain/schema.ts';
import { field, hostileNames, objectOf } from './schemas.ts';

function encodeAs(kind: FieldKind, value: Json) {
  const [column] = mirrorTable(objectOf('x', [field('f', kind)])).columns;
  if (!column) throw new Error('no column');
  return encodeValue(column, value);
}

const fitting: [FieldKind, Json, string | null][] = [
  ['text', 'tab\tand "quotes"', 'tab\tand "quotes"'],
  ['text', '', ''],
  ['text', '🙂', '🙂'],
  ['text', null, null],
  ['reference', 'per_01HX', 'per_01HX'],
  ['number', 12.5, '12.5'],
  ['number', -0, '0'],
  ['boolean', false, 'false'],
  ['date', '2024-02-29', '2024-02-29'],
  ['date', '0001-01-01', '0001-01-01'],
  ['timestamp', '2024-02-29T23:59:59.999Z', '2024-02-29T23:59:59.999Z'],
  ['timestamp', '2024-02-29T10:00:00Z', '2024-02-29T10:00:00Z'],
  ['timestamp', '2024-02-29 10:00Z', '2024-02-29T10:00:00Z'],
  ['timestamp', '2024-02-29T10:00:00.123456789Z', '2024-02-29T10:00:00.123456Z'],
  ['timestamp', '2024-03-01T01:30:00.5+05:30', '2024-02-29T20:00:00.5Z'],
  ['timestamp', '2024-02-29T23:00:00-0200', '2024-03-01T01:00:00Z'],
  ['timestamp', '2024-02-29', '2024-02-29T00:00:00Z'],
  ['texts', [], '{}'],
  ['texts', ['a', 'NULL', '', 'b"c', 'd\\e', '{f,g}'], '{"a","NULL","","b\\"c","d\\\\e","{f,g}"}'],
  [
    'json',
    { a: [1, new ExactNumber('1.00000000000000000001')] },
    '{"a":[1,1.00000000000000000001]}',
  ],
  ['json', 'a \\u0000 written out', '"a \\\\u0000 written out"'],
];

test.each(fitting)('%s %j has a text form', (kind, value, text) => {
  expect(encodeAs(kind, value)).toEqual({ text });
});

const unfit: [FieldKind, Json][] = [
  ['text', 5],
  ['text', ['a']],
  ['number', '5'],
  ['number', true],
  ['boolean', 'true'],
  ['boolean', 1],
  ['date', '2024-02-30'],
  ['date', '2023-02-29'],
  ['date', '1900-02-29'],
  ['date', '2024-13-01'],
  ['date', '2024-00-10'],
  ['date', '0000-01-01'],
  ['date', '2024-1-1'],
  ['date', '2024-02-29T00:00:00Z'],
  ['date', '２０２４-02-29'],
  ['timestamp', 'yesterday'],
  ['timestamp', '2024-02-30T10:00:00.000Z'],
  ['timestamp', '2024-02-29T24:00:00.000Z'],
  ['timestamp', '2024-02-29T10:61:00.000Z'],
  ['timestamp', '2024-02-29T10:00:00.12xZ'],
  ['timestamp', '2024-02-29T10:00:00'],
  ['timestamp', '0001-01-01T00:00:00+01:00'],
  ['timestamp', '9999-12-31T23:59:59-01:00'],
  ['timestamp', '+012024-02-29T10:00:00Z'],
  ['timestamp', 1709164800000],
  ['texts', 'a'],
  ['texts', ['a', null]],
  ['texts', [['a']]],
  ['texts', { items: ['a'] }],
];

test.each(unfit)('%s %j goes to _extra as it is', (kind, value) => {
  expect(encodeAs(kind, value)).toEqual({ extra: value });
});

const escaped: [FieldKind, Json, string][] = [
  ['text', 'a\0b', '"a\\u0000b"'],
  ['text', 'a\ud800b', '"a\\ud800b"'],
  ['texts', ['a\0'], '["a\\u0000"]'],
  ['json', { 'k\0': ['\udc00'] }, '{"k\\u0000":["\\udc00"]}'],
  ['number', new ExactNumber('1e400000'), '1e400000'],
  ['number', new ExactNumber('1e-400000'), '1e-400000'],
  ['json', [new ExactNumber('1e400000')], '[1e400000]'],
];

test.each(escaped)('%s %j is escaped: jsonb cannot hold it either', (kind, value, text) => {
  expect(encodeAs(kind, value)).toEqual({ extra: { $json: text } });
});

test('thousands of levels are escaped before they exhaust the stack of Postgres', () => {
  const nest = (levels: number): Json =>
    parseJson(`${'['.repeat(levels)}${']'.repeat(levels)}`) as Json;
  expect(encodeAs('json', nest(500))).toHaveProperty('text');
  expect(encodeAs('json', nest(2000))).toEqual({
    extra: { $json: `${'['.repeat(2000)}${']'.repeat(2000)}` },
  });
  expect(() => encodeAs('json', nest(100_000))).toThrow(
    expect.objectContaining({ code: 'value-too-deep', disposition: 'park' }),
  );
});

const anyText = fc.string({ unit: 'binary', maxLength: 12 });
const brokenText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 })
  .map((units) => String.fromCharCode(...units));
const anyJson = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, { $json: '"x"' }, { $json: 5 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
    anyText,
    brokenText,
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(anyText, brokenText, fc.constant('$json')), tie('json'), { maxKeys: 4 }),
  ),
})).json;

test('nothing is lost on the way to _extra and back', () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      const kept = encodeExtra(value);
      expect(jsonbText(kept)).not.toBeNull();
      expect(stringifyJson(decodeExtra(kept))).toBe(stringifyJson(value));
    }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        anyText,
        brokenText,
        anyText.map((text) => `$json:${text}`),
      ),
      (name) => {
        expect(fieldOfExtraKey(extraKey(name))).toBe(name);
        expect(jsonbText(extraKey(name))).not.toBeNull();
      },
    ),
  );
});

function recordOf(fields: Readonly<Record<string, Json>>, more: Partial<RemoteRecord> = {}) {
  return {
    id: '1',
    fields,
    createdAt: '2024-01-01T00:00:00.000Z',
    updatedAt: null,
    createdBy: 'u',
    updatedBy: null,
    mergedIds: ['0'],
    links: {},
    ...more,
  };
}

test('a record becomes one value per column, what is missing apart from what is null', () => {
  const table = mirrorTable(
    objectOf('x', [field('a'), field('b'), field('n', 'number'), field('gone')]),
  );
  const encoded = encodeRecord(
    table,
    recordOf({ a: 'A', b: null, n: 'five', new: [1], nil: null }),
  );
  expect(encoded).toEqual({
    values: [
      '1',
      null,
      '1',
      '2024-01-01T00:00:00.000Z',
      null,
      'u',
      null,
      ['0'],
      null,
      '{"n":"five","new":[1]}',
      'A',
      null,
      null,
      null,
    ],
    missing: ['gone'],
    extra: '{"n":"five","new":[1]}',
    extras: 2,
    overflown: [],
  });
  expect(SYSTEM_COLUMNS[9]?.name).toBe('_extra');
  expect(encoded.values).toHaveLength(SYSTEM_COLUMNS.length + table.columns.length);
});

test('records that list their fields in another order, or lack some, are read alike', () => {
  const table = mirrorTable(objectOf('x', [field('a'), field('b'), field('c')]));
  const orders = [['a', 'b', 'c'], ['c', 'a', 'b'], ['b'], ['new', 'c'], ['a', 'b', 'c'], []];
  for (const order of orders) {
    const { values, missing, extra } = encodeRecord(
      table,
      recordOf(Object.fromEntries(order.map((name) => [name, name.toUpperCase()]))),
    );
    const given = ['a', 'b', 'c'].map((name) => (order.includes(name) ? name.toUpperCase() : null));
    expect(values.slice(SYSTEM_COLUMNS.length)).toEqual(given);
    expect(missing).toEqual(['a', 'b', 'c'].filter((name) => !order.includes(name)));
    expect(extra).toBe(order.includes('new') ? '{"new":"NEW"}' : null);
  }
});

test('fields called like anything keep their values, and nothing is inherited', () => {
  const names = [...hostileNames, 'a\0b', '$json:x'];
  const table = mirrorTable(
    objectOf(
      'x',
      names.map((name) => field(name)),
    ),
  );
  const full = parseJson(
    JSON.stringify({}).replace(
      '}',
      `${names.map((name) => `${JSON.stringify(name)}:"v"`).join(',')}}`,
    ),
  );
  const encoded = encodeRecord(table, recordOf(full as Readonly<Record<string, Json>>));
  expect(encoded.missing).toEqual([]);
  expect(encoded.values.slice(SYSTEM_COLUMNS.length).every((value) => value === 'v')).toBe(true);
  expect(encoded.extra).toBe('{"$json:\\"a\\\\u0000b\\"":"v"}');
  expect(encodeRecord(table, recordOf({})).missing).toEqual(table.columns.map((c) => c.field.name));
});

test('a record that is odd in a system field keeps it in _extra', () => {
  const table = mirrorTable(objectOf('x', []));
  const encoded = encodeRecord(table, recordOf({}, { createdAt: 'long ago', createdBy: '\0' }));
  expect(encoded.values[3]).toBeNull();
  expect(encoded.extra).toBe(
    '{"_created_at":"long ago","_created_by":{"$json":"\\"\\\\u0000\\""}}',
  );
  expect(() => encodeRecord(table, recordOf({}, { id: '1\0' }))).toThrow(
    expect.objectContaining({ code: 'record-id-unstorable', disposition: 'park' }),
  );
});
