import { expect, test } from 'vitest';
import { adminBodies } from '../../../src/emulator/brevo/admin-actions.ts';
import { brevoSwitches, defaultSwitches } from '../../../src/emulator/brevo/switches.ts';
import { firstColumn, readPage } from './page.ts';

const page = readPage('emulator-brevo.md');
const documented = firstColumn(page);

test('every switch has its row, with what it takes and what it is at first', () => {
  const first = new Map(Object.entries(defaultSwitches()));
  for (const { name, takes } of brevoSwitches.names) {
    const shown = takes.includes('|') ? takes.replaceAll('|', ' \\| ') : 'number';
    expect(page).toContain(`| \`${name}\` | ${shown} | ${String(first.get(name))} |`);
  }
  expect([...first.keys()].toSorted()).toEqual(
    brevoSwitches.names.map(({ name }) => name).toSorted(),
  );
});

test('every request that steers it has its row', () => {
  const posts = Object.keys(adminBodies).map((name) => `POST ${name}`);
  expect(documented).toEqual(expect.arrayContaining(posts));
});
