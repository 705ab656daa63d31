import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pushDeps } from '../../src/app/push-once.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { runPush } from '../../src/push/push.ts';
import { nothingLeft, openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';

// What was written and whose answer got lost comes back in the form that Attio keeps: that is an echo,
// no conflict (invariant 3) and no stranger (invariant 4).

let attio: SyncedAttio;

beforeAll(async () => {
  attio = await openSyncedAttio({
    sizes: { companies: 4, people: 8, deals: 4, projects: 4 },
    switches: { titles: 'any case' },
  });
  await attio.sync();
});
afterAll(() => attio.stop());
beforeEach(() => attio.emulator.faults.clear());

const sql = (text: string, values?: readonly unknown[]) => attio.sql(text, values);

/** Pushes while every answer of the kind is lost, and again once they are not. */
async function pushWithout(method: 'PUT' | 'POST', path: string): Promise<void> {
  const keeper = new LeaseKeeper(attio.session.db, { holder: attio.session.holder });
  await keeper.start();
  try {
    const push = () => runPush(pushDeps(attio.session, keeper), attio.signal);
    attio.emulator.faults.add({ kind: 'reset-after-write', method, path, count: 12 });
    await push();
    attio.emulator.faults.clear();
    for (let round = 0; round < 3; round += 1) {
      await sql(
        `UPDATE attio_sync.outbox SET next_attempt_at = clock_timestamp()
          WHERE state IN ('pending', 'sending')`,
      );
      await push();
    }
  } finally {
    await keeper.stop();
  }
}

test.each([
  ['a place in part', 'people', 'primary_location', `{"locality":"Oslo","latitude":59.91}`],
  ['a name in part', 'people', 'name', `{"first_name":"Zoë"}`],
  ['a name in two parts', 'people', 'name', `{"first_name":"Zoë","last_name":"Ek"}`],
  ['a name as one text', 'people', 'name', `"Ek, Ada"`],
  ['a name without a comma', 'people', 'name', `"Ada Ek"`],
  ['the address of a page', 'companies', 'domains', `{https://www.Echo.example/about?x=1}`],
  ['a mail address in capitals', 'people', 'email_addresses', `{Echo@Echo.Example}`],
  ['a number with spaces', 'people', 'phone_numbers', `{+1 (415) 555-0100}`],
  ['a list with one value twice', 'projects', 'tags', `{renewal,imported,renewal}`],
  ['mail addresses, one twice', 'people', 'email_addresses', `{a@two.example,A@two.example}`],
  ['a time', 'projects', 'kickoff', `2026-03-29 02:30:00.123456+02`],
  ['an amount', 'projects', 'budget', `12.34567`],
])('an edit of %s', async (_, object, column, value) => {
  const [row] = await sql(`SELECT min(id) AS id FROM attio.${object}`);
  await sql('TRUNCATE attio_sync.conflict');
  await sql(`UPDATE attio.${object} SET ${column} = $2 WHERE id = $1`, [row?.['id'], value]);
  await pushWithout('PUT', `/${object}/records/`);
  expect((await attio.sync()).left).toEqual(nothingLeft);
  expect(await sql('SELECT field, base, local, remote FROM attio_sync.conflict')).toEqual([]);
});

test.each([
  ['the same host in another way', 'companies', 'domains', 'https://WWW.%s/contact'],
  ['the same address in another way', 'people', 'email_addresses', '%S'],
  ['the same title once more', 'projects', 'tags', '%s'],
])('a list that is added to: %s', async (_, object, column, form) => {
  await sql(`UPDATE attio.projects SET tags = '{renewal}'`);
  expect((await attio.sync()).left).toEqual(nothingLeft);
  const [row] = await sql(
    `SELECT id, ${column} AS held, ${column}[1] AS item FROM attio.${object} WHERE ${column} IS NOT NULL ORDER BY id LIMIT 1`,
  );
  const item = String(row?.['item']);
  const added = form.replace('%s', item).replace('%S', item.toUpperCase());
  await sql(`UPDATE attio.${object} SET ${column} = ${column} || $2::text WHERE id = $1`, [
    row?.['id'],
    added,
  ]);
  expect((await attio.sync()).left).toEqual(nothingLeft);
  const [after] = await sql(`SELECT ${column} AS held FROM attio.${object} WHERE id = $1`, [
    row?.['id'],
  ]);
  expect(after?.['held']).toEqual(row?.['held']);
});

test.each([
  ['a place', 'primary_location', `{"locality":"Bergen","latitude":60.39,"longitude":5.32}`],
  ['a name', 'name', `"Ek, Only"`],
])('a create that has %s and nothing to be known by', async (_, column, value) => {
  const before = attio.emulator.store.count('people');
  await sql(`INSERT INTO attio.people (job_title, ${column}) VALUES ('Echo', $1)`, [value]);
  await pushWithout('POST', '/people/records$');
  expect((await attio.sync()).left).toEqual(nothingLeft);
  expect(attio.emulator.store.count('people')).toBe(before + 1);
});
