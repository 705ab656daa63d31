import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CaptureDatabase, openCapture } from './capture-tables.ts';

/** What a row takes is what can come back, and what was not changed counts as unchanged. */
let on: CaptureDatabase;

beforeAll(async () => {
  on = await openCapture();
  // As where Clarify has sent a number that a column with a scale does not hold.
  await on.database.db.query('ALTER TABLE clarify.deal ALTER COLUMN amount TYPE numeric');
});
afterAll(() => on.drop());
beforeEach(async () => {
  await on.sql('RESET ALL');
  await on.write(`DELETE FROM clarify.deal; DELETE FROM clarify_sync.outbox`);
  await on.write(`INSERT INTO clarify.deal (id, title, amount, won, closes_on, met_at, tags, terms, name, company_id,
      _created_at, _updated_at, _created_by, _merged_ids, _synced_at, _extra)
    VALUES ('d1', 'One', 1.5, true, '2026-03-01', '2026-03-01 10:00:00.123Z', '{a,"b c"}',
      '{"b": [1, {"c": null}], "a": "x"}', '{"first_name": "A"}', 'c1', '2026-01-01 00:00:00.001Z', '2026-01-02 00:00:00.123456Z',
      'user_1', '{d0,d00}', '2026-01-03 00:00:00.987654Z', '{"odd": [0.1, 1.234567890123456789, "x"], "more": {"n": null}}')`);
  await on.entries();
});

const attempt = (text: string, values?: readonly unknown[]) =>
  on.sql(text, values).then(
    () => null,
    (error: unknown) => (error instanceof pg.DatabaseError ? error : null),
  );

/** What a refusal says; null where the statement passed, or left something behind. */
async function refusalOf(text: string) {
  const error = await attempt(text);
  return (await on.entries()).length > 0 ? null : error;
}

const refused = (message: RegExp, hint: RegExp) => {
  return {
    code: 'CS005',
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  };
};

const LIST = /clarify\.deal\.tags takes a plain list of texts.*\(row /;

test.each([
  `'{a,NULL}'`,
  `ARRAY[NULL]::text[]`,
  `'{{a,b},{c,d}}'`,
  `'{{{a}}}'`,
  `'[2:3]={a,NULL}'`,
])('a list that Clarify cannot hold: %s', async (list) => {
  for (const statement of [
    `UPDATE clarify.deal SET tags = ${list}`,
    `INSERT INTO clarify.deal (tags) VALUES (${list})`,
    `INSERT INTO clarify.deal (id, title) VALUES ('d1', 'x') ON CONFLICT (id) DO UPDATE SET tags = ${list}`,
  ]) {
    expect(await refusalOf(statement)).toMatchObject(refused(LIST, /array_remove/));
  }
});

test('a list is taken with any text in it, however it counts its items', async () => {
  await on.sql(`UPDATE clarify.deal SET tags = '[0:2]={NULLs,"NULL",""}'`);
  expect(await on.entries()).toMatchObject([
    { changes: { tags: { value: ['NULLs', 'NULL', ''] } } },
  ]);
});

test('JSON without end is refused; a thousand levels less one are not', async () => {
  const nested = (levels: number) => `(repeat('[', ${levels}) || repeat(']', ${levels}))::jsonb`;
  expect(await refusalOf(`UPDATE clarify.deal SET terms = ${nested(1_001)}`)).toMatchObject(
    refused(/clarify\.deal\.terms takes JSON of at most 1000 levels/, /flatten/),
  );
  await on.sql(`UPDATE clarify.deal SET terms = ${nested(1_000)}`);
  expect(await on.entries()).toHaveLength(1);
});

test('JSON that looks like an escape of ours is what it is', async () => {
  for (const value of ['{"$json": "no JSON"}', '{"$json": "1"}', '{"$json": 1, "b": 2}']) {
    await on.sql('UPDATE clarify.deal SET terms = $1', [value]);
    const [entry] = await on.entries();
    expect(JSON.parse(escapedIn(entry?.changes['terms']))).toEqual(JSON.parse(value));
  }
});

function escapedIn(change: unknown): string {
  const { value } = change as { value: { $json: string } };
  return value.$json;
}

test('a number with too many digits: the hint tells of binary floats', async () => {
  expect(await refusalOf('UPDATE clarify.deal SET amount = 1.100000000000000088')).toMatchObject(
    refused(
      /takes at most 12 digits before the decimal point and 4 after it/,
      /binary float.*1\.1 arrives as 1\.100000000000000088….*round\(value, 4\)/,
    ),
  );
});

test('a number that came from Clarify may go back, whatever its digits', async () => {
  await on.write(`UPDATE clarify.deal SET amount = 1.23456789`);
  await on.sql('UPDATE clarify.deal SET amount = amount, title = title');
  expect(await on.entries()).toEqual([]);
  await on.sql('UPDATE clarify.deal SET amount = 2');
  await on.sql('UPDATE clarify.deal SET amount = 3');
  await on.entries();
  await on.sql('UPDATE clarify.deal SET amount = 1.23456789');
  expect(await on.entries()).toMatchObject([{ changes: { amount: { value: 1.23456789 } } }]);
  expect(await refusalOf('UPDATE clarify.deal SET amount = 1.234567')).toMatchObject(
    refused(/at most 12 digits/, /float/),
  );
});

/** What node-postgres makes of a row, written back by it column by column. */
async function saveAsRead(change: Record<string, unknown> = {}): Promise<void> {
  const [row] = await on.sql('SELECT * FROM clarify.deal');
  const columns = Object.keys(row ?? {}).filter((column) => !column.startsWith('name__'));
  const values = columns.map((column) => change[column] ?? row?.[column]);
  const sets = columns.map((column, index) => `"${column}" = $${index + 1}`);
  await on.sql(`UPDATE clarify.deal SET ${sets.join(', ')}`, values);
}

test('a row written back whole by a program that knows milliseconds is unchanged', async () => {
  await on.sql(`UPDATE clarify.deal SET met_at = '2026-04-05 06:07:08.123456Z'`);
  await on.entries();
  await saveAsRead();
  expect(await on.entries()).toEqual([]);
  await saveAsRead({ title: 'Two' });
  expect(await on.entries()).toEqual([
    { op: 'update', record_id: 'd1', changes: { title: { base: 'One', value: 'Two' } } },
  ]);
});

test('so it is where push is off', async () => {
  await on.database.db.query('UPDATE clarify_sync.installation SET push = false');
  try {
    await saveAsRead();
    expect(await on.entries()).toEqual([]);
  } finally {
    await on.database.db.query('UPDATE clarify_sync.installation SET push = true');
  }
});

test.each([
  `_synced_at = _synced_at + interval '1 millisecond'`,
  `_updated_at = NULL`,
  `_created_by = 'user_2'`,
  `_merged_ids = '{d0}'`,
  `_extra = '{"odd": [0.1, 1.3, "x"], "more": {"n": null}}'`,
  `_extra = '{"odd": [0.1, 1.234567890123456789, "x"], "more": {}}'`,
  `_extra = NULL`,
])('a system column that was changed is refused all the same: %s', async (set) => {
  expect(await attempt(`UPDATE clarify.deal SET ${set}`)).toMatchObject({ code: 'CS003' });
});

test('a millisecond is a change of a field', async () => {
  await on.sql(`UPDATE clarify.deal SET met_at = met_at + interval '1 millisecond'`);
  expect(await on.entries()).toMatchObject([
    {
      changes: { met_at: { base: '2026-03-01T10:00:00.123Z', value: '2026-03-01T10:00:00.124Z' } },
    },
  ]);
});

test('no setting of the writer changes what is captured', async () => {
  await on.database.db.query(
    `ALTER TABLE clarify.deal ADD own_wait interval, ADD own_bytes bytea, ADD own_float float8`,
  );
  await on.write(
    `UPDATE clarify.deal SET own_wait = '1 day 02:03', own_bytes = '\\x0001ff', own_float = 0.1`,
  );
  const deleted = async () => {
    await on.sql('BEGIN');
    await on.sql('DELETE FROM clarify.deal');
    const [entry] = await on.sql(`SELECT 1`);
    expect(entry).toBeDefined();
    await on.sql('COMMIT');
    const [captured] = await on.entries();
    return captured?.changes;
  };
  const again = async () => {
    await on.write(`INSERT INTO clarify.deal (id, title, amount, met_at, closes_on, tags, own_wait, own_bytes, own_float)
      VALUES ('d1', 'One', 1.5, '2026-03-01 10:00:00.123Z', '2026-03-01', '{a,NULL}', '1 day 02:03', '\\x0001ff', 0.1)`);
  };
  await on.write('DELETE FROM clarify.deal');
  await again();
  const plain = await deleted();
  await again();
  for (const setting of [
    `intervalstyle = 'iso_8601'`,
    `bytea_output = 'escape'`,
    'extra_float_digits = -10',
    `timezone = 'Asia/Kolkata'`,
    `datestyle = 'German, DMY'`,
    'array_nulls = off',
    'standard_conforming_strings = off',
    'quote_all_identifiers = on',
    'transform_null_equals = on',
    `backslash_quote = 'off'`,
    `search_path = 'clarify'`,
    'row_security = off',
    `xmloption = 'document'`,
  ]) {
    await on.sql(`SET ${setting}`);
  }
  expect(await deleted()).toEqual(plain);
});
