import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readPage, readSources } from './page.ts';

const commands = [...readSources('src/cli/syntax', '.ts').values()].map((text) =>
  [...text.matchAll(/\.command\('([a-z]+)'\)/g)].map(([, name = '']) => name),
);
/** By name: a file's first command, and those below it. */
const known = new Map(commands.map(([name = '', ...below]) => [name, below]));

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const others = ['analytics', 'configuration', 'control-tables', 'deploy', 'errors', 'first-hour'];
const pages = [readme, ...others.map((name) => readPage(`${name}.md`))];

test('every command that the pages name exists', () => {
  const named = pages.flatMap((text) => [
    ...text.matchAll(/\bclarify-sync ([a-z]+)(?: ([a-z]+))?/g),
  ]);
  expect(named.length).toBeGreaterThan(10);
  const missing = named.filter(([, name = '', below]) => {
    const subcommands = known.get(name);
    if (subcommands === undefined) return true;
    return subcommands.length > 0 && below !== undefined && !subcommands.includes(below);
  });
  expect(missing.map(([text]) => text)).toEqual([]);
});

test('every short form in backticks exists', () => {
  const parents = [...known].filter(([, below]) => below.length > 0);
  const missing = parents.flatMap(([name, below]) =>
    pages
      .flatMap((text) => [...text.matchAll(new RegExp(`\`${name} ([a-z]+)`, 'g'))])
      .filter(([, subcommand = '']) => !below.includes(subcommand))
      .map(([text]) => text),
  );
  expect(missing).toEqual([]);
});

test('the README lists every command', () => {
  const [, section = ''] = readme.split('\n## Commands\n');
  const [table = ''] = section.split('\n## ', 1);
  expect([...known.keys()].filter((name) => !table.includes(`\`${name}`))).toEqual([]);
});
