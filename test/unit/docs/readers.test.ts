import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readPage } from './page.ts';

const folder = new URL('../../readers/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');

/** What `npm run test:readers` installs: name → version. */
function installed(): Map<string, string> {
  const python = [...read('python/requirements.txt').matchAll(/^([\w-]+)(?:\[\w+\])?==(\S+)$/gm)];
  const npm = [...read('node/package.json').matchAll(/^ {4}"([^"]+)": "([\d.]+)/gm)];
  return new Map([...python, ...npm].map(([, name = '', version = '']) => [name, version]));
}

test('the versions that the page names are those that are tried', () => {
  const versions = installed();
  const tried = readPage('readers.md').split('\n## An object')[0] ?? '';
  const rows = tried
    .split('\n')
    .filter((line) => /^\| [a-z]/.test(line) && !line.startsWith('| tool'));
  const named = rows.flatMap((row) => [
    ...(row.split('|')[1] ?? '').matchAll(/([A-Za-z][\w-]*) (\d+\.[\d.]*\d)/g),
  ]);
  expect(named.length).toBeGreaterThan(20);
  const other = named.filter(([, name = '', version]) => {
    return name !== 'ClickHouse' && versions.get(name.toLowerCase()) !== version;
  });
  expect(other.map(([text]) => text)).toEqual([]);
});
