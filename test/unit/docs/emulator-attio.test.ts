import { expect, test } from 'vitest';
import { adminBodies } from '../../../src/emulator/attio/admin-actions.ts';
import { attioSwitches, defaultSwitches } from '../../../src/emulator/attio/switches.ts';
import { firstColumn, readPage } from './page.ts';

const page = readPage('emulator-attio.md');
const documented = firstColumn(page);

test('every switch has its row, with what it takes and what it is at first', () => {
  const first = new Map(Object.entries(defaultSwitches()));
  for (const { name, takes } of attioSwitches.names) {
    const shown = takes.includes('|') ? takes.replaceAll('|', ' \\| ') : 'number';
    expect(page).toContain(`| \`${name}\` | ${shown} | ${String(first.get(name))} |`);
  }
  expect([...first.keys()].toSorted()).toEqual(
    attioSwitches.names.map(({ name }) => name).toSorted(),
  );
});

test('every request that steers it has its row', () => {
  const posts = Object.keys(adminBodies).map((name) => `POST ${name}`);
  expect(documented).toEqual(expect.arrayContaining(posts));
});
