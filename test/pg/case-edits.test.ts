import { afterEach, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { previewPush } from '../../src/app/push-preview.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import type { Json } from '../../src/domain/json.ts';
import type { EmulatorOptions } from '../../src/emulator/clarify/emulator.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

/**
 * That an address is the same in any case decides about conflicts and identities. What a person
 * writes is delivered as it was written.
 */
let workspace: TestWorkspace;
let writes: number;

async function open(
  switches: EmulatorOptions['switches'] = {},
  person: { readonly conflicts?: 'manual' } = {},
): Promise<TestWorkspace> {
  writes = 0;
  workspace = await openWorkspace({
    emulator: {
      sizes: 'none',
      switches,
      onRequest: ({ method }) => {
        if (method === 'PATCH' || method === 'POST') writes += 1;
      },
    },
    config: { objects: { person: { ...person, fields: {}, history: false, delete: 'push' } } },
  });
  return workspace;
}
afterEach(() => workspace.stop());

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });

async function known(
  attributes: Readonly<Record<string, Json>>,
  object = 'person',
): Promise<string> {
  const id = workspace.emulator.store.create(object, attributes);
  await pull();
  return id;
}

const remote = (id: string, object = 'person') =>
  workspace.emulator.store.get(object, id)?.attributes;
const states = async () =>
  (await workspace.sql('SELECT state FROM clarify_sync.outbox ORDER BY id')).map((e) => e['state']);
const conflicts = () => workspace.sql('SELECT field, resolution FROM clarify_sync.conflict');
const addresses = async (id: string) => {
  const rows = await workspace.sql('SELECT email_addresses FROM clarify.person WHERE id = $1', [
    id,
  ]);
  return rows[0]?.['email_addresses'];
};

test('an address edited in its case alone is sent, previewed, and at rest then', async () => {
  const { sql, session } = await open({ normalises: 'nothing' });
  const person = await known({ email_addresses: { items: ['ann@example.com', 'b@example.com'] } });
  const company = await known({ name: 'Acme', domains: { items: ['acme.com'] } }, 'company');
  await sql(`UPDATE clarify.person SET email_addresses = '{Ann@Example.com,b@example.com}'`);
  await sql(`UPDATE clarify.company SET domains = '{Acme.com}'`);
  const nobody = { epoch: null, remainingMs: () => 0 };
  const preview = await previewPush(session.db, pushDeps(session, nobody));
  expect(preview.changes).toHaveLength(2);
  await sync();
  expect(remote(person)?.email_addresses).toEqual({ items: ['Ann@Example.com', 'b@example.com'] });
  expect(remote(company, 'company')?.domains).toEqual({ items: ['Acme.com'] });
  expect(await states()).toEqual(['done', 'done']);
  expect(writes).toBe(2);
  await sync();
  expect(writes).toBe(2);
  expect(await conflicts()).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
});

test('where the CRM puts it into lower case the row follows, after one attempt', async () => {
  const { sql } = await open();
  const id = await known({ email_addresses: { items: ['ann@example.com'] } });
  await sql(`UPDATE clarify.person SET email_addresses = '{Ann@Example.com}'`);
  await sync();
  await sync();
  expect(await addresses(id)).toEqual(['ann@example.com']);
  expect(await states()).toEqual(['done']);
  expect(writes).toBe(1);
});

test('two quick edits: the last spelling is what both sides hold', async () => {
  const { sql, emulator } = await open({ normalises: 'nothing' });
  const id = await known({ email_addresses: { items: ['a@example.com'] } });
  await sql(`UPDATE clarify.person SET email_addresses = '{b@example.com}'`);
  // It arrives, and its answer is lost.
  emulator.faults.add({ kind: 'reset-after-write', method: 'PATCH', count: 1 });
  await sync().catch(() => null);
  await sql(`UPDATE clarify.person SET email_addresses = '{B@Example.com}'`);
  await expect
    .poll(
      async () => {
        await sync();
        return remote(id)?.email_addresses;
      },
      { timeout: 20_000 },
    )
    .toEqual({ items: ['B@Example.com'] });
  expect(await differences(workspace)).toEqual([]);
});

test('a change of case and an address added in the CRM are both kept', async () => {
  const { sql, emulator } = await open({ normalises: 'nothing' });
  const id = await known({ email_addresses: { items: ['a@example.com'] } });
  await sql(`UPDATE clarify.person SET email_addresses = '{A@Example.com}'`);
  emulator.store.update('person', id, {
    email_addresses: { items: ['a@example.com', 'b@example.com'] },
  });
  await sync();
  expect(remote(id)?.email_addresses).toEqual({ items: ['A@Example.com', 'b@example.com'] });
  expect(await conflicts()).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
});

test('an open conflict ends by what the CRM holds in another case, and that case is sent', async () => {
  const { sql, emulator } = await open({ normalises: 'nothing' }, { conflicts: 'manual' });
  const id = await known({ job_title: 'x', email_addresses: { items: ['a@example.com'] } });
  await sql(`UPDATE clarify.person SET email_addresses = '{b@example.com}', job_title = 'here'`);
  emulator.store.update('person', id, {
    email_addresses: { items: ['c@example.com'] },
    job_title: 'there',
  });
  await sync();
  expect(await conflicts()).toMatchObject([{ resolution: 'open' }, { resolution: 'open' }]);
  await sql(`UPDATE clarify.person SET email_addresses = '{C@example.com}'`);
  await sync();
  expect(remote(id)).toMatchObject({
    email_addresses: { items: ['C@example.com'] },
    job_title: 'there',
  });
  expect(await conflicts()).toEqual(
    expect.arrayContaining([
      { field: 'email_addresses', resolution: 'remote' },
      { field: 'job_title', resolution: 'open' },
    ]),
  );
});

test('an insert is known by its identity in any case; what else it says is sent as it is', async () => {
  const { sql } = await open({ normalises: 'nothing' });
  const id = await known({ email_addresses: { items: ['ann@example.com'] }, job_title: 'ceo' });
  await sql(
    `INSERT INTO clarify.person (email_addresses, job_title) VALUES ('{ANN@example.com}', 'CEO')`,
  );
  await sync();
  expect(remote(id)).toMatchObject({
    email_addresses: { items: ['ann@example.com'] },
    job_title: 'CEO',
  });
  expect(await addresses(id)).toEqual(['ann@example.com']);
});
