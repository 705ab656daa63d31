import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { configFile, parseConfigFile } from '../../../src/app/config/file.ts';
import { byName, fenced, firstColumn, readPage, readSources } from './page.ts';

const page = readPage('configuration.md');
const sources = readSources('src', '.ts');
const ofConfig = [...sources].filter(([path]) => path.startsWith('src/app/config'));
const documented = firstColumn(page);

test('the page lists every environment variable, and no other', () => {
  const text = ofConfig.map(([, source]) => source).join('\n');
  const named = [...text.matchAll(/'((?:CLARIFY|DATABASE)_[A-Z_]+)'/g)].map(
    ([, name = '']) => name,
  );
  const secrets = [...text.matchAll(/\b(?:secret|token|postgresUrl)\('([A-Z_]+)'\)/g)].map(
    ([, name = '']) => `${name}_FILE`,
  );
  const known = [...new Set([...named, ...secrets])].toSorted(byName);
  expect(known.length).toBeGreaterThan(8);
  expect(documented.filter((name) => /^[A-Z_]+$/.test(name)).toSorted(byName)).toEqual(known);
});

test('the page lists every key of the file, and no other', () => {
  const schema = z.toJSONSchema(configFile, { io: 'input', unrepresentable: 'any' });
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
