import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// As on managed services: the role of the service owns its tables and is no superuser, so that
// policies which are forced on the owner hold for it.

let workspace: TestWorkspace;
let url = '';
const role = `service_${randomBytes(4).toString('hex')}`;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 3, company: 2, deal: 3 } },
    async prepare({ db, name, urlAs }) {
      await db.query(`CREATE ROLE ${role} LOGIN NOSUPERUSER PASSWORD 'secret'`);
      await db.query('DROP SCHEMA clarify_sync CASCADE');
      await db.query('DROP SCHEMA IF EXISTS clarify CASCADE');
      await db.query(`ALTER DATABASE ${name} OWNER TO ${role}`);
      url = urlAs(role, 'secret');
    },
    config: {
      get database() {
        return { url, directUrl: url };
      },
    },
  });
  await sync();
});
afterAll(async () => {
  await workspace?.stop();
  const admin = new pg.Client({ connectionString: inject('postgres').url });
  await admin.connect();
  await admin.query(`DROP ROLE ${role}`);
  await admin.end();
});

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const sql: TestWorkspace['sql'] = (text, values) => workspace.sql(text, values);

test('a role without superuser syncs', async () => {
  expect(await sql('SELECT * FROM clarify.deal')).toHaveLength(3);
  expect(await differences(workspace)).toEqual([]);
});

test('a policy that is not forced does not hold for the service', async () => {
  await sql('ALTER TABLE clarify.deal ENABLE ROW LEVEL SECURITY');
  workspace.emulator.store.create('deal', { name: 'Unhindered' });
  await sync();
  expect(await differences(workspace)).toEqual([]);
});

test('forced on the owner it puts every row that changes aside, loses nothing, and heals', async () => {
  const { store } = workspace.emulator;
  await sql('ALTER TABLE clarify.deal FORCE ROW LEVEL SECURITY');
  const [id = '', gone = ''] = store.ids('deal');
  store.update('deal', id, { name: 'Forced' });
  store.delete('deal', gone);
  store.create('deal', { name: 'New' });
  const company = store.create('company', { name: 'Goes on' });
  await sync();
  const aside = await sql('SELECT DISTINCT object, code, sqlstate FROM clarify_sync.deferred');
  expect(aside).toEqual([{ object: 'deal', code: 'row-refused', sqlstate: '42501' }]);
  expect(await sql('SELECT id FROM clarify.company WHERE id = $1', [company])).toHaveLength(1);
  await sql('ALTER TABLE clarify.deal NO FORCE ROW LEVEL SECURITY');
  await sync();
  expect(await differences(workspace)).toEqual([]);
});
