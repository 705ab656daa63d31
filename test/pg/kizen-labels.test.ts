import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushDeps } from '../../src/app/push-once.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { runPush } from '../../src/push/push.ts';
import { type KizenWorkspace, openKizen } from '../support/kizen-workspace.ts';

// What is written by a label goes to the option that has it, however lately that was made.

let workspace: KizenWorkspace;

beforeAll(async () => {
  workspace = await openKizen({
    sizes: { companies: 4, client_client: 0, deals: 8, projects: 0 },
  });
  await workspace.sync();
});

afterAll(async () => {
  await workspace.stop();
});

async function push(): Promise<void> {
  const { session } = workspace;
  const keeper = new LeaseKeeper(session.db, { holder: session.holder });
  await keeper.start();
  try {
    await runPush(pushDeps(session, keeper), new AbortController().signal);
  } finally {
    await keeper.stop();
  }
}

/** As Kizen shows it. */
function shown(object: string, id: string, name: string): unknown {
  const { store } = workspace.emulator;
  const fields = (store.get(object, id)?.['fields'] ?? {}) as Record<string, { value?: unknown }>;
  return fields[store.fieldId(object, name)]?.value;
}

const parked = () =>
  workspace.sql(`SELECT record_id FROM kizen_sync.outbox WHERE state = 'parked' ORDER BY id`);

test('an option that is added is found by every row that names it at once', async () => {
  const { store } = workspace.emulator;
  const ids = store.ids('deals');
  store.setOption('deals', 'channel', 'Billboard', {});
  await workspace.sql(`UPDATE kizen.deals SET channel = 'Billboard'`);
  await push();
  expect(await parked()).toEqual([]);
  expect(ids.map((id) => shown('deals', id, 'channel'))).toEqual(
    ids.map(() => expect.objectContaining({ name: 'Billboard' }) as unknown),
  );
});

test('one that is added soon after another was asked for in vain is found as well', async () => {
  const { store } = workspace.emulator;
  const [one = '', other = ''] = store.ids('deals');
  await workspace.sql(`UPDATE kizen.deals SET channel = 'Nowhere' WHERE id = $1`, [one]);
  await push();
  expect(await parked()).toEqual([{ record_id: one }]);
  store.setOption('deals', 'channel', 'Radio', {});
  await workspace.sql(`UPDATE kizen.deals SET channel = 'Radio' WHERE id IN ($1, $2)`, [
    one,
    other,
  ]);
  await push();
  expect(await parked()).toEqual([]);
  expect(shown('deals', other, 'channel')).toMatchObject({ name: 'Radio' });
});

test('a label that is another option’s by now is that option', async () => {
  const { store } = workspace.emulator;
  const [, , id = ''] = store.ids('deals');
  const [company = ''] = store.ids('companies');
  await workspace.sql(`UPDATE kizen.companies SET labels = '{Blue}' WHERE id = $1`, [company]);
  await push();
  store.setOption('deals', 'channel', 'Radio', { rename: 'Podcast' });
  store.setOption('deals', 'channel', 'Radio', {});
  store.setOption('deals', 'stage', 'Won', { rename: 'Signed' });
  store.setOption('deals', 'stage', 'Won', {});
  store.setOption('companies', 'labels', 'Blue', { rename: 'Navy' });
  store.setOption('companies', 'labels', 'Blue', {});
  await workspace.sql(`UPDATE kizen.deals SET channel = 'Radio', stage = 'Won' WHERE id = $1`, [
    id,
  ]);
  await workspace.sql(`UPDATE kizen.companies SET labels = '{Blue,Red}' WHERE id = $1`, [company]);
  const [born] = await workspace.sql(
    `INSERT INTO kizen.deals (name, channel, stage) VALUES ('Born late', 'Radio', 'Won') RETURNING id`,
  );
  await push();
  expect(await parked()).toEqual([]);
  const [now] = await workspace.sql(`SELECT kizen_sync.current_id('deals', $1) AS id`, [
    born?.['id'],
  ]);
  for (const deal of [id, String(now?.['id'])]) {
    expect(shown('deals', deal, 'channel')).toMatchObject({ name: 'Radio' });
    expect(shown('deals', deal, 'stage')).toMatchObject({ name: 'Won' });
  }
  const labels = shown('companies', company, 'labels') as { name: string }[];
  expect(labels.map(({ name }) => name)).toEqual(['Blue', 'Red']);
  expect(await workspace.sql(`SELECT channel, stage FROM kizen.deals WHERE id = $1`, [id])).toEqual(
    [{ channel: 'Radio', stage: 'Won' }],
  );
}, 60_000);
