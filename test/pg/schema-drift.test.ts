import { afterAll, beforeAll, expect, test } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 12, company: 3, deal: 3, task: 0, meeting: 0, c_project: 0 } },
  });
  await sync();
});
afterAll(() => workspace.stop());

async function sync() {
  await workspace.session.refreshSchema(workspace.signal);
  return await syncOnce(workspace.session, { signal: workspace.signal });
}

test('a field that appears becomes a column, filled for records nobody has edited since', async () => {
  const { emulator, sql } = workspace;
  const [id] = emulator.store.ids('person');
  emulator.store.addField('person', {
    name: 'Shoe size"; --',
    form: { kind: 'number' },
  });
  emulator.store.update('person', id ?? '', { 'Shoe size"; --': 42.5 }, { bump: false });
  await sync();
  const [row] = await sql(`SELECT "Shoe size""; --" AS size FROM clarify.person WHERE id = $1`, [
    id,
  ]);
  expect(row).toEqual({ size: '42.5000' });
  expect(await differences(workspace)).toEqual([]);
});

test('an object that appears becomes a table', async () => {
  const { emulator, sql } = workspace;
  emulator.store.addObject({
    object: 'c_select',
    singular: 'Select',
    plural: 'Selects',
    fields: [{ name: 'order', form: { kind: 'text' } }],
  });
  emulator.store.create('c_select', { order: 'by' });
  await sync();
  expect(await sql('SELECT "order" FROM clarify.c_select')).toEqual([{ order: 'by' }]);
  await sql(`UPDATE clarify.c_select SET "order" = 'desc'`);
  await sync();
  expect(emulator.store.all('c_select')[0]?.attributes.order).toBe('desc');
});
