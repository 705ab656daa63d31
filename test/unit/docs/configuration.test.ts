import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { knownVariables } from '../../../src/app/config/config.ts';
import { configFileOf, parseConfigFile } from '../../../src/app/config/file.ts';
import { everyDialect } from '../../../src/crm/adapters.ts';
import { byName, fenced, firstColumn, readPage, readSources } from './page.ts';

const page = readPage('configuration.md');
const sources = readSources('src', '.ts');
const ofConfig = [...sources].filter(([path]) => path.startsWith('src/app/config'));
const documented = firstColumn(page);

test('the page lists every environment variable, and no other', () => {
  const text = ofConfig.map(([, source]) => source).join('\n');
  const known = knownVariables();
  const read = [...text.matchAll(/'((?:CLARIFY_SYNC|DATABASE)_[A-Z_]+[A-Z])'/g)];
  expect(read.length).toBeGreaterThan(8);
  expect(read.map(([, name = '']) => name).filter((name) => !known.has(name))).toEqual([]);
  const named = documented.filter((name) => /^[A-Z_]+$/.test(name));
  expect(named.toSorted(byName)).toEqual([...known].toSorted(byName));
});

test('the page lists every key of the file, and no other', async () => {
  const file = configFileOf(await everyDialect());
  const schema = z.toJSONSchema(file, { io: 'output', unrepresentable: 'any' });
  const keys = keysOf(schema, []).toSorted(byName);
  const listed = documented.filter((name) => !/^[A-Z_]+$/.test(name));
  expect(listed.toSorted(byName)).toEqual(keys);
});

/** `a`, `a.b`, `a.*.c`; a union, such as null or a mapping, has the keys of its members. */
function keysOf(schema: unknown, path: readonly string[]): string[] {
  const { properties, additionalProperties, anyOf } = partsOf(schema);
  const own = Object.entries(partsOf(properties)).flatMap(([key, value]) => {
    return [[...path, key].join('.'), ...keysOf(value, [...path, key])];
  });
  const members: readonly unknown[] = Array.isArray(anyOf) ? anyOf : [];
  return [
    ...own,
    ...keysOfAny(additionalProperties, path),
    ...members.flatMap((each) => keysOf(each, path)),
  ];
}

function keysOfAny(schema: unknown, path: readonly string[]): string[] {
  return typeof schema === 'object' ? keysOf(schema, [...path, '*']) : [];
}

function partsOf(schema: unknown): Readonly<Record<string, unknown>> {
  return typeof schema === 'object' && schema !== null ? { ...schema } : {};
}

test('the defaults on the page are the defaults', () => {
  const rows = [...page.matchAll(/^\| `([a-zA-Z]+(?:\.[a-z]+)?)` \|.*\| `([^`]+)` \|$/gm)];
  const lines = rows.map(([, key = '', value = '']) => {
    const [outer = '', inner] = key.split('.');
    return [outer, inner === undefined ? value : `{ ${inner}: ${value} }`] as const;
  });
  expect(lines.length).toBeGreaterThan(8);
  const wrong = lines.filter(([key, value]) => {
    return !isDeepStrictEqual(parseConfigFile(`${key}: ${value}`), parseConfigFile(''));
  });
  expect(wrong).toEqual([]);
});

test('the example is valid, and changes what it says', () => {
  const [example = ''] = fenced(page, 'yaml');
  const parsed = parseConfigFile(example);
  expect(parsed).toHaveProperty('settings');
  expect(parsed).not.toEqual(parseConfigFile(''));
});
