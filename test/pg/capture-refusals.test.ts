import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type CaptureDatabase, openCapture } from './capture-tables.ts';

let on: CaptureDatabase;

beforeAll(async () => {
  on = await openCapture();
  await on.write(`INSERT INTO clarify.deal (id, title) VALUES ('d1', 'One'), ('d2', 'Two')`);
});
afterAll(() => on.drop());

afterEach(async () => {
  await on.database.db.query(
    `UPDATE clarify_sync.mirror SET refusal = NULL, removed_at = NULL, delete_policy = 'push'`,
  );
  await on.database.db.query('UPDATE clarify_sync.mirror_column SET removed_at = NULL');
  await on.database.db.query('UPDATE clarify_sync.installation SET push = true');
});

/** What became of a statement, and of what it was to change. */
async function attempt(statement: string) {
  const outcome = await on.sql(statement).then(
    () => ({ code: null, message: 'accepted' }),
    (error: unknown) =>
      error instanceof pg.DatabaseError ? error : { code: null, message: 'lost' },
  );
  return {
    code: outcome.code,
    message: outcome.message,
    entries: await on.entries(),
    rows: await on.sql('SELECT id, title FROM clarify.deal ORDER BY id'),
  };
}

/** Refused, and nothing came of it. */
function refused(code: string, message: string | RegExp) {
  const rows = [
    { id: 'd1', title: 'One' },
    { id: 'd2', title: 'Two' },
  ];
  return { code, message: expect.stringMatching(message), entries: [], rows };
}

test('where push is off', async () => {
  await on.database.db.query('UPDATE clarify_sync.installation SET push = false');
  const message =
    /^clarify-sync: push is off, so local writes to clarify\.deal are refused; set CLARIFY_SYNC_PUSH=on and restart$/;
  expect(await attempt(`UPDATE clarify.deal SET title = 'x'`)).toEqual(refused('CS001', message));
  expect(await attempt(`INSERT INTO clarify.deal (title) VALUES ('x')`)).toEqual(
    refused('CS001', message),
  );
  expect(await attempt('DELETE FROM clarify.deal')).toEqual(refused('CS001', message));
  await on.sql(`UPDATE clarify.deal SET title = title`);
  await on.sql(`DELETE FROM clarify.deal WHERE id = 'nobody'`);
  await on.write(`UPDATE clarify.deal SET title = title || ''`);
  expect(await on.entries()).toEqual([]);
});

test('where the object is read-only, or gone', async () => {
  const { db } = on.database;
  await db.query(`UPDATE clarify_sync.mirror SET refusal = 'calendars own it, 100%s of them'`);
  expect(await attempt(`UPDATE clarify.deal SET title = 'x'`)).toEqual(
    refused('CS002', /clarify\.deal cannot be written here: calendars own it, 100%s of them$/),
  );
  await db.query('UPDATE clarify_sync.mirror SET refusal = NULL, removed_at = now()');
  expect(await attempt('DELETE FROM clarify.deal')).toEqual(
    refused('CS002', /Clarify no longer lists this object/),
  );
});

test.each([
  '_created_at = now()',
  '_updated_at = now()',
  `_created_by = 'me'`,
  `_updated_by = 'me'`,
  `_merged_ids = '{x}'`,
  '_synced_at = now()',
  `_extra = '{}'`,
  `_local_id = 'local:x'`,
])('a system column: %s', async (assignment) => {
  const column = assignment.split(' ')[0] ?? '';
  expect(await attempt(`UPDATE clarify.deal SET ${assignment} WHERE id = 'd1'`)).toEqual(
    refused('CS003', `clarify\\.deal\\.${column} is kept by clarify-sync .* \\(row 'd1'\\)$`),
  );
  const value = assignment.split('= ')[1] ?? '';
  expect(await attempt(`INSERT INTO clarify.deal (${column}) VALUES (${value})`)).toEqual(
    refused('CS003', column),
  );
});

test('an id that is changed, or not ours to give', async () => {
  expect(await attempt(`UPDATE clarify.deal SET id = 'd3' WHERE id = 'd1'`)).toEqual(
    refused('CS004', /the id of a row of clarify\.deal cannot be changed/),
  );
  expect(await attempt(`INSERT INTO clarify.deal (id) VALUES ('d3')`)).toEqual(
    refused('CS004', /leave id out, or give local:<uuid> \(row 'd3'\)/),
  );
});

test.each(['1e12', '-1000000000000', `'NaN'`])(
  'a number Clarify cannot hold: %s',
  async (value) => {
    const message = /clarify\.deal\.amount takes at most 12 digits before the decimal point and 4/;
    expect(await attempt(`UPDATE clarify.deal SET amount = ${value} WHERE id = 'd2'`)).toEqual(
      refused('CS005', message),
    );
    expect(await attempt(`INSERT INTO clarify.deal (amount) VALUES (${value})`)).toEqual(
      refused('CS005', message),
    );
  },
);

test('more decimals than the column has are rounded by Postgres; one without a limit says so', async () => {
  const rounded = 'BEGIN; UPDATE clarify.deal SET amount = 1.23456; ROLLBACK';
  expect(await attempt(rounded)).toMatchObject({ code: null, message: 'accepted' });
  await on.database.db.query('ALTER TABLE clarify.deal ALTER COLUMN amount TYPE numeric');
  for (const value of ['0.00001', '1.23456']) {
    expect(await attempt(`UPDATE clarify.deal SET amount = ${value}`)).toEqual(
      refused('CS005', /at most 12 digits before the decimal point and 4/),
    );
  }
  await on.database.db.query('ALTER TABLE clarify.deal ALTER COLUMN amount TYPE numeric(20,4)');
});

test('a number at its limit, and zeros behind it, are fine', async () => {
  const limit = 'BEGIN; UPDATE clarify.deal SET amount = -999999999999.99990000; ROLLBACK';
  expect(await attempt(limit)).toMatchObject({ code: null, message: 'accepted' });
});

test.each([`closes_on = 'infinity'`, `met_at = '-infinity'`])(
  'an infinite time: %s',
  async (assignment) => {
    expect(await attempt(`UPDATE clarify.deal SET ${assignment}`)).toEqual(
      refused('CS005', /takes a time in the years 1 to 9999/),
    );
  },
);

test.each([
  `closes_on = '0044-03-15 BC'`,
  `closes_on = '10000-01-01'`,
  `met_at = '0044-03-15 BC'`,
  `met_at = '9999-12-31 23:30-01'`,
])('a year that Clarify cannot write: %s', async (assignment) => {
  expect(await attempt(`UPDATE clarify.deal SET ${assignment}`)).toEqual(
    refused('CS005', /takes a time in the years 1 to 9999, in UTC/),
  );
});

test('the first and the last day are fine', async () => {
  const ends = `closes_on = '0001-01-01', met_at = '9999-12-31 23:59:59.999+00'`;
  const update = `BEGIN; UPDATE clarify.deal SET ${ends}; ROLLBACK`;
  expect(await attempt(update)).toMatchObject({ code: null, message: 'accepted' });
});

test('a field that Clarify no longer has', async () => {
  await on.database.db.query(
    `UPDATE clarify_sync.mirror_column SET removed_at = now() WHERE field = 'order'`,
  );
  expect(await attempt(`UPDATE clarify.deal SET "order" = 'x'`)).toEqual(
    refused('CS006', /clarify\.deal\."order" belongs to a field that Clarify no longer has/),
  );
  expect(await attempt(`INSERT INTO clarify.deal ("order") VALUES ('x')`)).toEqual(
    refused('CS006', /"order"/),
  );
});

const readOnly = async (field: string, is: boolean) => {
  await on.database.db.query(
    `UPDATE clarify_sync.mirror_column SET definition = definition || jsonb_build_object('readOnly', $2::boolean)
      WHERE object = 'deal' AND field = $1`,
    [field, is],
  );
};

test('a field that Clarify alone writes; one that stays as it is passes', async () => {
  await readOnly('order', true);
  const message =
    /clarify\.deal\."order" is written by Clarify alone, and read-only here; leave it out/;
  expect(await attempt(`UPDATE clarify.deal SET "order" = 'x' WHERE id = 'd1'`)).toEqual(
    refused('CS011', message),
  );
  expect(await attempt(`INSERT INTO clarify.deal (title, "order") VALUES ('x', 'y')`)).toEqual(
    refused('CS011', message),
  );
  await on.sql('BEGIN');
  await on.sql(`UPDATE clarify.deal SET title = 'One!', "order" = "order" WHERE id = 'd1'`);
  await on.sql(`INSERT INTO clarify.deal (title, "order") VALUES ('New', NULL)`);
  await on.sql('ROLLBACK');
  // Whoever writes as the synchronisation does may.
  await on.write(`UPDATE clarify.deal SET "order" = 'theirs' WHERE id = 'd1'`);
  await on.sql('BEGIN');
  await on.sql(`DELETE FROM clarify.deal WHERE id = 'd1'`);
  await on.sql('COMMIT');
  expect(await on.entries()).toMatchObject([
    { op: 'delete', changes: { order: { base: 'theirs', value: null } } },
  ]);
  await on.database.db.query('DELETE FROM clarify_sync.outbox');
  await on.write(`INSERT INTO clarify.deal (id, title) VALUES ('d1', 'One')`);
  await readOnly('order', false);
});

test('numbers are held to what is promised of their own field', async () => {
  const { db } = on.database;
  await db.query(
    `UPDATE clarify_sync.mirror_column SET definition = definition - 'wholeDigits' WHERE field = 'amount'`,
  );
  const beyond = 'BEGIN; UPDATE clarify.deal SET amount = 1e15; ROLLBACK';
  expect(await attempt(beyond)).toMatchObject({ code: null, message: 'accepted' });
  await db.query('ALTER TABLE clarify.deal ALTER COLUMN amount TYPE numeric');
  expect(await attempt('UPDATE clarify.deal SET amount = 0.00001')).toEqual(
    refused('CS005', /takes at most 4 digits after the decimal point, as Clarify does; round/),
  );
  await db.query('ALTER TABLE clarify.deal ALTER COLUMN amount TYPE double precision');
  await db.query(
    `UPDATE clarify_sync.mirror_column SET definition = definition - 'scale' WHERE field = 'amount'`,
  );
  for (const value of ['NaN', 'Infinity', '-Infinity']) {
    expect(await attempt(`UPDATE clarify.deal SET amount = '${value}'`)).toEqual(
      refused('CS005', /clarify\.deal\.amount takes a number that is one, as Clarify does/),
    );
  }
  await db.query('ALTER TABLE clarify.deal ALTER COLUMN amount TYPE numeric(20,4)');
  await db.query(
    `UPDATE clarify_sync.mirror_column SET definition = definition || '{"scale": 4, "wholeDigits": 12}'
      WHERE field = 'amount'`,
  );
});

test('TRUNCATE', async () => {
  expect(await attempt('TRUNCATE clarify.deal')).toEqual(
    refused('CS007', /TRUNCATE of clarify\.deal is refused/),
  );
});

test('a delete, where the policy says so; or it is parked', async () => {
  const { db } = on.database;
  await db.query(`UPDATE clarify_sync.mirror SET delete_policy = 'refuse'`);
  expect(await attempt('DELETE FROM clarify.deal')).toEqual(
    refused('CS008', /rows of clarify\.deal are not deleted here/),
  );
  await db.query(`UPDATE clarify_sync.mirror SET delete_policy = 'park'`);
  await on.sql('BEGIN');
  await on.sql(`DELETE FROM clarify.deal WHERE id = 'd1'`);
  await on.sql('COMMIT');
  expect(
    await db.query('SELECT op, record_id, state, last_error FROM clarify_sync.outbox'),
  ).toEqual([
    { op: 'delete', record_id: 'd1', state: 'parked', last_error: 'delete-needs-approval' },
  ]);
  await on.entries();
  await on.write(`INSERT INTO clarify.deal (id, title) VALUES ('d1', 'One')`);
});

test('a table that was renamed', async () => {
  const { db } = on.database;
  await db.query('ALTER TABLE clarify.company RENAME TO firms');
  expect(await attempt(`INSERT INTO clarify.firms (title) VALUES ('x')`)).toEqual(
    refused('CS010', /clarify\.firms is not known as a mirror table/),
  );
  await db.query('ALTER TABLE clarify.firms RENAME TO company');
});

test('the error of a refusal quotes no field’s value', async () => {
  const { user } = on;
  const error = await user
    .query(`UPDATE clarify.deal SET amount = 31337313370000, title = 'confidential'`)
    .catch((refusal: unknown) => refusal);
  expect(error).toBeInstanceOf(pg.DatabaseError);
  expect(JSON.stringify(error)).not.toMatch(/31337|confidential/);
});
