import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runDoctor } from '../../src/app/doctor/doctor.ts';
import { createLog } from '../../src/app/log.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { renderSql, schemasOf, verbatim } from '../../src/db/control/schemas.ts';
import { differences, linkDifferences } from '../support/agreement.ts';
import { startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

/** A name that only begins like one of ours, a word of SQL, and the longest there can be. */
const SCHEMAS = ['clarify_two', 'order', `x${'y'.repeat(54)}`];

/** Names in a workspace that read as statements name schemas; nothing may be put in their place. */
const OBJECT = '{sync}';
const FIELD = `{mirror}_"it's\\`;
const LABEL = `{history} {sync}.outbox {mirror} it's \\ "`;

describe.each(SCHEMAS)('in the schema %s', (schema) => {
  let workspace: TestWorkspace;
  let user: pg.Client;
  const sql = async (text: string, values: unknown[] = []) => (await user.query(text, values)).rows;
  const role = `{sync} ${randomBytes(4).toString('hex')}`;
  const quoted = { role: pg.escapeIdentifier(role), field: pg.escapeIdentifier(FIELD) };
  const table = `"${schema}"."${OBJECT}"`;

  beforeAll(async () => {
    workspace = await openWorkspace({
      schema,
      emulator: { sizes: { person: 3, company: 2, deal: 2, task: 2, meeting: 2, message: 0 } },
      config: {
        objects: {
          [OBJECT]: { fields: {}, history: true, delete: 'push' },
          person: { fields: {}, history: true, delete: 'push' },
        },
        publication: true,
        grants: { read: [role], write: [] },
      },
      prepare: async ({ db }) => {
        await db.transaction((tx) => tx.query(verbatim(`CREATE ROLE ${quoted.role}`)));
      },
    });
    // Its statements are sent as they are.
    user = new pg.Client({
      connectionString: workspace.database.url,
      application_name: 'clarify-sync user',
    });
    await user.connect();
    const { emulator, session, signal } = workspace;
    emulator.store.addObject({
      object: OBJECT,
      singular: LABEL,
      plural: LABEL,
      fields: [
        { name: FIELD, label: LABEL, form: { kind: 'text' } },
        { name: 'tags', form: { kind: 'collection', of: 'collectionOfStrings' } },
      ],
    });
    emulator.store.create(OBJECT, { [FIELD]: LABEL });
    await session.refreshSchema(signal);
    await syncOnce(session, { signal });
  });
  afterAll(async () => {
    await user.end();
    await workspace.database.db.transaction((tx) =>
      tx.query(verbatim(`DROP OWNED BY ${quoted.role}; DROP ROLE ${quoted.role}`)),
    );
    await workspace.stop();
  });

  test('both sides agree, and names of users stay what they are', async () => {
    const { session } = workspace;
    expect(session.problems).toEqual([]);
    expect(await differences(workspace)).toEqual([]);
    expect(await linkDifferences(workspace)).toEqual([]);
    const names = schemasOf(schema);
    const rows = await sql(
      `SELECT a.attname, col_description(c.oid, a.attnum) AS label, obj_description(c.oid) AS of
         FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = $2
        WHERE c.relnamespace = $3::text::regnamespace AND c.relname = $1`,
      [OBJECT, FIELD, `"${names.mirror}"`],
    );
    expect(rows).toEqual([{ attname: FIELD, label: LABEL, of: expect.stringContaining(LABEL) }]);
    expect(
      await sql(`SELECT has_table_privilege($1, $2::regclass, 'select') AS may`, [role, table]),
    ).toEqual([{ may: true }]);
    expect(
      await sql('SELECT pubname FROM pg_publication_tables WHERE tablename = $1', [OBJECT]),
    ).toHaveLength(1);
  });

  test('every kind of edit arrives, with a version of each', async () => {
    const { emulator, session, signal } = workspace;
    await sql(`UPDATE ${table} SET ${quoted.field} = 'changed {sync}'`);
    await sql(`INSERT INTO ${table} (${quoted.field}) VALUES ('{mirror}')`);
    await syncOnce(session, { signal });
    const values = () => emulator.store.all(OBJECT).map(({ attributes }) => attributes[FIELD]);
    expect(new Set(values())).toEqual(new Set(['changed {sync}', '{mirror}']));
    await sql(`DELETE FROM ${table} WHERE ${quoted.field} = '{mirror}'`);
    await syncOnce(session, { signal });
    expect(values()).toEqual(['changed {sync}']);
    expect(await differences(workspace)).toEqual([]);
    const versions = await sql(
      `SELECT _operation FROM "${schemasOf(schema).history}"."${OBJECT}" ORDER BY _valid_from`,
    );
    expect(versions.length).toBeGreaterThanOrEqual(3);
  });

  test('a commit is heard of, and doctor finds nothing', async () => {
    const { emulator, session, signal } = workspace;
    const heard: (string | undefined)[] = [];
    user.on('notification', ({ channel, payload }) => heard.push(`${channel} ${payload}`));
    const channel = renderSql('{sync}_outbox', schemasOf(schema));
    await sql(`LISTEN ${channel}`);
    const daemon = await startDaemon(workspace);
    try {
      const [person = ''] = emulator.store.ids('person');
      await sql(`UPDATE "${schema}".person SET job_title = 'Heard' WHERE id = $1`, [person]);
      const title = () => emulator.store.get('person', person)?.attributes['job_title'];
      await expect.poll(title).toBe('Heard');
    } finally {
      await daemon.stop();
    }
    expect(heard).toEqual([`${channel} person`]);
    const checks = await runDoctor(session.config, {
      log: createLog({ level: 'silent' }),
      signal,
      adopt: false,
    });
    expect(checks.filter(({ state }) => state === 'fail')).toEqual([]);
    const stray = await sql(
      `SELECT t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace = $1::text::regnamespace AND NOT t.tgisinternal
          AND NOT starts_with(t.tgname, $2)`,
      [`"${schema}"`, schema.slice(0, 54)],
    );
    expect(stray).toEqual([]);
  });
});
