#!/bin/sh
# Software: @electric-sql/pglite 0.5.16 (npm), Postgres 18.6 inside.
# A guess:  live.query() calls back whenever its result has changed; affectedRows of one statement
#           counts the rows of that statement.
# In truth: it hears of statements that insert, update or delete in the tables that the query names.
#           TRUNCATE, rows written straight into a partition, a detached partition and rows of an
#           inheriting table change the result without a call, until the next statement that it does
#           hear. In exec(), each result counts the rows of all statements before it as well, so a
#           DELETE that found nothing reports three.
# Hurt:     screens and caches that show rows which are gone ("empty the table, load it anew");
#           checks for "exactly one row changed".
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent @electric-sql/pglite@0.5.16
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { live } from '@electric-sql/pglite/live';

const db = await PGlite.create({ extensions: { live } });
await db.exec(`
  create table plain (id int);
  insert into plain values (1), (2), (3);
  create table parted (year int, id int) partition by list (year);
  create table parted_1 partition of parted for values in (1);`);

async function shown(table, changes) {
  const count = `select count(*)::int as rows from ${table}`;
  let screen;
  const { initialResults, unsubscribe } = await db.live.query(count, [], ({ rows }) => {
    screen = rows[0].rows;
  });
  screen = initialResults.rows[0].rows;
  const seen = [];
  for (const change of changes) {
    await db.exec(change);
    await pause(700);
    const { rows } = await db.query(count);
    console.log(`${change}: shown ${screen}, true ${rows[0].rows}`);
    seen.push([screen, rows[0].rows]);
  }
  await unsubscribe();
  return seen;
}

const plain = await shown('plain', ['truncate plain', 'insert into plain values (4)']);
assert.deepEqual(plain, [[3, 0], [1, 1]]);
const parted = await shown('parted', [
  'insert into parted values (1, 1)',
  'insert into parted_1 values (1, 2)',
  'alter table parted detach partition parted_1',
]);
assert.deepEqual(parted, [[1, 1], [1, 2], [1, 0]]);

await db.exec('insert into plain values (5), (6)');
const results = await db.exec('update plain set id = id + 10; delete from plain where id = 0');
const counts = results.map((result) => result.affectedRows);
console.log('affectedRows of an update of three and a delete of none:', counts);
assert.deepEqual(counts, [3, 3]);
await db.close();
JS
node see.mjs
