import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  ...readdirSync(join(root, 'docs'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

test('every link within the project leads somewhere', () => {
  const links = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, to = '']) => {
      return { path, to: join(root, dirname(path), to) };
    }),
  );
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter(({ to }) => !existsSync(to))).toEqual([]);
});

test('every link to a heading finds it', () => {
  const links = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)/g)].map(([, to = '', anchor = '']) => {
      return { path, to: to === '' ? path : join(dirname(path), to), anchor };
    }),
  );
  expect(links.length).toBeGreaterThan(10);
  const anchorsOf = new Map(pages.map(({ path, text }) => [path, anchors(text)]));
  expect(links.filter(({ to, anchor }) => anchorsOf.get(to)?.has(anchor) !== true)).toEqual([]);
});

/** As GitHub makes them. */
function anchors(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** `a/{b,c}.ts` names two. */
function alternatives(path: string): string[] {
  const [, before = '', list, after = ''] = /^(.*)\{(.+)\}(.*)$/.exec(path) ?? [];
  return list === undefined ? [path] : list.split(',').map((each) => before + each + after);
}

/** `test/unit/walk/`, `test/pg/conflicts.test.ts`, `test/pg/lease*.test.ts`. */
function isThere(path: string): boolean {
  const [before = '', after] = basename(path).split('*');
  if (after === undefined) return existsSync(join(root, path));
  const folder = join(root, dirname(path));
  return (
    existsSync(folder) &&
    readdirSync(folder).some((name) => name.startsWith(before) && name.endsWith(after))
  );
}

test('every test and source that a page names is there', () => {
  const named = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/`((?:src|test|bench)\/[^`\s]+)`/g)].map(([, file = '']) => ({ path, file })),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ file }) => !alternatives(file).every(isThere))).toEqual([]);
});
