import { expect, test } from 'vitest';
import { adminBodies } from '../../../src/emulator/clarify/admin-body.ts';
import { clarifySwitches, defaultSwitches } from '../../../src/emulator/clarify/switches.ts';
import { READS } from '../../../src/emulator/kernel/admin.ts';
import { sharedBodies } from '../../../src/emulator/kernel/admin-body.ts';
import { faultSchema } from '../../../src/emulator/kernel/faults.ts';
import { fenced, firstColumn, readPage } from './page.ts';

const page = readPage('emulator.md');
const documented = firstColumn(page);

test('every switch has its row, with what it takes and what it is at first', () => {
  const current = new Map(Object.entries(defaultSwitches('current')));
  const classic = new Map(Object.entries(defaultSwitches('classic')));
  for (const { name, takes } of clarifySwitches.names) {
    const [now, then] = [String(current.get(name)), String(classic.get(name))];
    const first = now === then ? now : `${now}, classic: ${then}`;
    const shown = takes.replaceAll('|', ' \\| ');
    expect(page).toContain(
      `| \`${name}\` | ${takes.includes('|') ? shown : 'number'} | ${first} |`,
    );
  }
});

test('every kind of fault has its row', () => {
  const kinds = faultSchema.options.flatMap(({ shape: { kind } }): string[] =>
    'options' in kind ? kind.options : [...kind.values],
  );
  const [, section = ''] = page.split('\n## Faults\n');
  const rows = firstColumn(section.split('\n\n`applied`', 1)[0] ?? '');
  expect(rows.toSorted()).toEqual(kinds.toSorted());
});

test('every fault and request shown can be made', () => {
  const shown = fenced(page, 'sh').flatMap((text) => [...text.matchAll(/-d '([^']+)'/g)]);
  expect(shown.length).toBeGreaterThan(1);
  for (const [, body = ''] of shown) sharedBodies.faults.parse(JSON.parse(body));
});

test('every request that steers it has its row', () => {
  const posts = Object.keys({ ...sharedBodies, ...adminBodies }).map((name) => `POST ${name}`);
  const gets = READS.map((name) => `GET ${name}`);
  expect(documented).toEqual(expect.arrayContaining([...posts, ...gets, 'DELETE faults']));
});
